"""A time limit that never swallows a cancellation.

Before Python 3.12 `asyncio.wait_for` returns the result, and forgets that it was cancelled, when both happen in one step of the loop:
a loop around it then never ends. `asyncio.timeout` exists since Python 3.11 only.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class TimeLimit:
    """What is awaited within the block is cancelled after so many seconds; then the block raises `asyncio.TimeoutError`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._is_over = False
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.current_task()
        if self._seconds < _LONGEST:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._end)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._is_over or not isinstance(error, asyncio.CancelledError):
            return
        # Python 3.11 counts who has cancelled a task.
        uncancel = getattr(self._task, "uncancel", None)
        if uncancel is not None and uncancel() > 0:
            return
        raise asyncio.TimeoutError from error

    def _end(self) -> None:
        self._is_over = True
        if self._task is not None:
            self._task.cancel()


_LONGEST = 86_400.0 * 24
"""Timers of the loop take no longer time: nothing waits for that long."""
