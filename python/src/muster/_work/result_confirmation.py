"""Asks the mesh to confirm the results that it was sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from muster._work.unconfirmed_results import Report, UnconfirmedResults

CONFIRMATION_DELAY = 0.1
"""The mesh is asked to confirm a result after this time, so that one ping asks for those of several tasks."""


class ResultConfirmation:
    """One ping asks for all that were sent before it, and the next one is not sent before that is answered.

    A peer that does many short tasks sends few pings. `ask` sends a ping that asks for confirmation, and returns its ID; None if it can't
    be sent now. `confirmed`: the mesh has committed the result.
    """

    def __init__(
        self,
        results: UnconfirmedResults,
        ask: Callable[[], str | None],
        confirmed: Callable[[Report], None],
    ) -> None:
        self._results = results
        self._ask_mesh = ask
        self._confirmed = confirmed
        self._timer: asyncio.TimerHandle | None = None
        self._asked: tuple[str, frozenset[str]] | None = None

    def result_sent(self) -> None:
        """Note that a result was given to the socket."""
        if self._asked is None and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(CONFIRMATION_DELAY, self._ask)

    def pong_received(self, ping_id: str | None) -> bool:
        """Note that the mesh answered a ping. False if the ping did not ask for confirmation."""
        if self._asked is None or self._asked[0] != ping_id:
            return False
        _, sent = self._asked
        self._asked = None
        for report in self._results.confirmed(sent):
            self._confirmed(report)
        if self._results.sent():
            self.result_sent()
        return True

    def stop(self) -> None:
        """The session ended."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._asked = None

    def _ask(self) -> None:
        self._timer = None
        sent = self._results.sent()
        if not sent:
            return
        ping_id = self._ask_mesh()
        if ping_id is None:
            self.result_sent()
        else:
            self._asked = (ping_id, sent)
