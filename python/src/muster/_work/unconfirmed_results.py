"""Results that the mesh has not confirmed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from muster._connection.profile import HeldTask

UNCONFIRMED_RESULTS_MIN = 64
"""Unconfirmed results that a peer keeps: this many, or two for each of its slots if that is more.

The mesh leaves no more tasks to a peer than it has slots and one, so results beyond that were processed. Above it the oldest is dropped.
"""
_UNCONFIRMED_RESULTS_PER_SLOT = 2

SendResult = Callable[[Mapping[str, Any], Callable[[], None]], "str | None"]
"""Sends a result and returns the message's ID; None if it can't be sent. Calls the function when the socket has it."""


@dataclass(frozen=True, slots=True)
class Report:
    """A result, and the kind of its task."""

    message: Mapping[str, Any]
    kind: str

    @property
    def task_id(self) -> str:
        """The ID of the task."""
        return str(self.message["task_id"])


@dataclass(slots=True, eq=False)
class _Result:
    report: Report
    message_id: str | None = None
    """ID of the message that carried it last; None if there was none in this session."""
    is_sent: bool = False
    """Whether the socket has that message."""
    retries: int = 0
    """How often it was sent again in this session."""


def results_kept(slots: int) -> int:
    """Return how many unconfirmed results a peer with this many slots keeps."""
    return max(UNCONFIRMED_RESULTS_MIN, _UNCONFIRMED_RESULTS_PER_SLOT * slots)


@dataclass(frozen=True, slots=True)
class Retry:
    """A result that the mesh could not process for now."""

    retries: int
    resend: Callable[[SendResult], None]


class UnconfirmedResults:
    """They are kept until the mesh confirms or refuses them, and are sent again in the next session.

    A repetition is harmless, because a result is committed once.
    """

    def __init__(self) -> None:
        self._results: list[_Result] = []

    def __len__(self) -> int:
        return len(self._results)

    def send(self, report: Report, send: SendResult, most: int) -> list[Report]:
        """Send a result and keep it.

        Returns those that are dropped for it: of an older attempt of the same task, which the mesh would not commit any more, and above
        `most` the oldest, first of those that were sent.
        """
        result = _Result(report)
        before = self._results
        others = [each for each in before if each.report.task_id != report.task_id]
        self._results = _newest([*others, result], most)
        _send_one(result, send)
        kept = set(map(id, self._results))
        return [each.report for each in before if id(each) not in kept]

    def unavailable(self, message_id: str) -> Retry | None:
        """Note that the mesh could not process the message for now; None if the message carried none of these results.

        The result counts as unsent until it is sent again. It is repeated as long as the session lasts: a full disk may take the
        operator an hour.
        """
        result = self._find(message_id)
        if result is None:
            return None
        result.is_sent = False
        result.message_id = None
        result.retries += 1

        def resend(send: SendResult) -> None:
            if result in self._results:
                _send_one(result, send)

        return Retry(result.retries, resend)

    def refused(self, message_id: str) -> Report | None:
        """Return the result that the message carried, which the mesh refused and which is not kept any more; None if there is none."""
        result = self._find(message_id)
        if result is None:
            return None
        self._results = [each for each in self._results if each is not result]
        return result.report

    def sent(self) -> frozenset[str]:
        """Return the messages that the mesh confirms when it confirms everything that it has received until now."""
        return frozenset(
            each.message_id
            for each in self._results
            if each.is_sent and each.message_id is not None
        )

    def confirmed(self, sent: frozenset[str]) -> list[Report]:
        """Return those that the mesh confirmed and had not refused meanwhile; they are not kept any more."""
        confirmed = [each for each in self._results if each.message_id in sent]
        self._results = [each for each in self._results if each.message_id not in sent]
        return [each.report for each in confirmed]

    def session_ended(self) -> None:
        """Nothing that was sent in the session has been confirmed by now: all counts as unsent."""
        self._results = [_Result(each.report) for each in self._results]

    def resend(self, send: SendResult) -> None:
        """Send each unsent result."""
        for result in list(self._results):
            if not result.is_sent:
                _send_one(result, send)

    def unsent_tasks(self) -> list[HeldTask]:
        """Return the attempts whose results are unsent."""
        return [
            HeldTask(each.report.task_id, int(each.report.message["fence"]))
            for each in self._results
            if not each.is_sent
        ]

    def clear(self) -> list[Report]:
        """Drop all results, and return them."""
        results, self._results = self._results, []
        return [each.report for each in results]

    def _find(self, message_id: str) -> _Result | None:
        return next((each for each in self._results if each.message_id == message_id), None)


def _send_one(result: _Result, send: SendResult) -> None:
    def on_sent() -> None:
        result.is_sent = True

    result.message_id = send(result.report.message, on_sent)


def _newest(results: list[_Result], most: int) -> list[_Result]:
    """Return at most `most` of the results without the oldest: sent ones are left out before unsent ones."""
    excess = len(results) - most
    if excess <= 0:
        return results
    dropped = [each for each in results if each.is_sent][:excess]
    return [each for each in results if each not in dropped][-most:]
