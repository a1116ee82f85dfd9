"""The call of a handler: what it reports to the session's loop, and what the loop asks of it."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

    from muster._work.outcome import Settled

PROGRESS_PAUSE = 0.1
"""Progress is passed to the session's loop at most this often: a handler may report it in a tight loop."""


class Call(Protocol):
    """Receives what a handler reports, in the session's loop."""

    def progress(self, fraction: float | None, message: str | None) -> None:
        """The handler reports progress."""

    def settled(self, settled: Settled) -> None:
        """The handler has settled, which it does once."""


class Execution(Protocol):
    """A handler that runs."""

    def cancel(self, reason: str) -> None:
        """Ask it to stop. It reports later that it has settled."""


class SessionCall:
    """Passes the reports of a handler from any thread to the session's loop. Of faster progress only the newest is passed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, call: Call) -> None:
        self._loop = loop
        self._call = call
        self._fraction: float | None = None
        self._message: str | None = None
        self._is_waiting = False
        self._is_new = False

    def progress(self, fraction: float | None, message: str | None) -> None:
        """Report progress."""
        if fraction is not None and math.isfinite(fraction):
            self._fraction = fraction
        if message is not None:
            self._message = message
        self._is_new = True
        if not self._is_waiting:
            self._is_waiting = True
            self._schedule(self._pass)

    def settled(self, settled: Settled) -> None:
        """Report that the handler has settled."""
        self._schedule(self._call.settled, settled)

    def _pass(self) -> None:
        if not self._is_new:
            self._is_waiting = False
            return
        self._is_new = False
        self._call.progress(self._fraction, self._message)
        self._loop.call_later(PROGRESS_PAUSE, self._pass)

    def _schedule(self, work: object, *arguments: object) -> None:
        # The peer may have closed, and its loop with it.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(work, *arguments)  # type: ignore[arg-type]
