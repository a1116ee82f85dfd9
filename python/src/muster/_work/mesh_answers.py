"""Sends what a worker answers to the mesh's offers."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muster._base.backoff import backoff_pause, equal_jitter
from muster._protocol.constants import ACCEPT_TIMEOUT
from muster._work.accepts import RecentAccepts, SentAccept
from muster._work.result_confirmation import ResultConfirmation
from muster._work.unconfirmed_results import Report, UnconfirmedResults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from muster._connection.connection import Connection
    from muster._connection.profile import HeldTask
    from muster._protocol.inbound_types import MeshErrorMessage

ANSWER_RETRY_BASE = 0.5
"""The pause before an answer is sent again, beyond the time that the mesh names; it doubles with each retry of a result."""
ANSWER_RETRY_CAP = 10.0
ANSWER_RETRY_AFTER_MAX = 300.0
"""The longest time that the mesh may name for it."""
_TEMPORARY = frozenset({"unavailable", "storage_full"})
"""The mesh may take the same message later: it does not answer for now, or its disk is full."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a result was not committed."""

    code: str | None
    """The mesh's error code; None when the mesh has not answered."""
    reason: str


class MeshAnswers:
    """Keeps each result until the mesh has confirmed it, and sends it again in the next session.

    An accept or a result that the mesh could not process for now is sent again while the session lasts. `result_ended`: the mesh has
    committed a result, or not, and then the refusal says why. Called once for each result.
    """

    def __init__(self, result_ended: Callable[[Report, Refusal | None], None]) -> None:
        self._result_ended = result_ended
        self._accepts = RecentAccepts()
        self._results = UnconfirmedResults()
        self._confirmation = ResultConfirmation(
            self._results, self._ask, lambda report: result_ended(report, None)
        )
        self._timers: set[asyncio.TimerHandle] = set()
        self._connection: Connection | None = None

    @property
    def is_attached(self) -> bool:
        """Whether there is a session."""
        return self._connection is not None

    @property
    def is_confirmed(self) -> bool:
        """Whether the mesh has confirmed or refused every result."""
        return len(self._results) == 0

    def attach(self, connection: Connection) -> None:
        """A session became active: send the unsent results."""
        self._connection = connection
        self._results.resend(self._send_result)

    def detach(self) -> None:
        """The session ended. What it had not sent stays unsent."""
        self._connection = None
        self._stop_timers()
        self._results.session_ended()

    def stop(self) -> None:
        """The peer closes: nothing is sent any more."""
        self._connection = None
        self._stop_timers()
        self._drop(self._results.clear())

    def unsent_tasks(self) -> list[HeldTask]:
        """Return the attempts whose results are unsent."""
        return self._results.unsent_tasks()

    def accept(self, message: Mapping[str, Any], on_sent: Callable[[], None] | None = None) -> bool:
        """Accept an offer; False if that can't be sent. `on_sent` may be called before this method returns."""
        return self._send_accept(SentAccept(message, time.monotonic() + ACCEPT_TIMEOUT), on_sent)

    def send(self, message_type: str, message: Mapping[str, Any]) -> None:
        """Send a refusal, a release or progress, if there is a session."""
        if self._connection is not None:
            self._connection.send(message_type, message)

    def result(self, report: Report, most: int) -> None:
        """Send a result, now or in the next session. At most `most` results are kept."""
        self._drop(self._results.send(report, self._send_result, most))

    def pong_received(self, ping_id: str | None) -> bool:
        """Note that the mesh answered a ping. False if it was not sent here."""
        return self._confirmation.pong_received(ping_id)

    def error_received(self, error: MeshErrorMessage, reply_to: str | None) -> bool:
        """Note that the mesh answered a message with an error. True if the message was an answer that will be sent again."""
        if reply_to is None:
            return False
        if error.details not in _TEMPORARY:
            refused = self._results.refused(reply_to)
            if refused is not None:
                reason = f"the mesh refused the result: {error.message}"
                self._result_ended(refused, Refusal(error.details or "refused", reason))
            return False
        retry_after = error.retry_after or 0.0
        retry = self._results.unavailable(reply_to)
        if retry is not None:
            resend = retry.resend
            self._after(_delay(retry_after, retry.retries), lambda: resend(self._send_result))
            return True
        delay = _delay(retry_after, 1)
        accept = self._accepts.take_for_retry(reply_to, delay, time.monotonic())
        if accept is not None:
            again = accept
            self._after(delay, lambda: self._send_accept(again, None))
        return accept is not None

    def _ask(self) -> str | None:
        if self._connection is None:
            return None
        ping = {"sentAt": int(time.time() * 1_000), "confirm": True}
        return self._connection.send("ping", ping)

    def _send_result(self, message: Mapping[str, Any], on_sent: Callable[[], None]) -> str | None:
        if self._connection is None:
            return None

        def sent() -> None:
            on_sent()
            self._confirmation.result_sent()

        return self._connection.send("task_result", message, None, sent)

    def _send_accept(self, accept: SentAccept, on_sent: Callable[[], None] | None) -> bool:
        if self._connection is None:
            return False
        message_id = self._connection.send("task_accept", accept.message, None, on_sent)
        if message_id is not None:
            self._accepts.add(message_id, accept, time.monotonic())
        return message_id is not None

    def _drop(self, reports: Iterable[Report]) -> None:
        for report in reports:
            self._result_ended(report, Refusal(None, "the mesh has not confirmed the result"))

    def _after(self, delay: float, work: Callable[[], object]) -> None:
        def fired() -> None:
            self._timers.discard(timer)
            work()

        timer = asyncio.get_running_loop().call_later(delay, fired)
        self._timers.add(timer)

    def _stop_timers(self) -> None:
        self._confirmation.stop()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._accepts.clear()


def _delay(retry_after: float, retries: int) -> float:
    """Return the mesh's own time to retry, and a random share of a growing pause, so that the answers do not return together."""
    pause = backoff_pause(ANSWER_RETRY_BASE, ANSWER_RETRY_CAP, retries)
    chance = random.random()  # noqa: S311 - jitter
    return min(retry_after, ANSWER_RETRY_AFTER_MAX) + equal_jitter(pause, chance)
