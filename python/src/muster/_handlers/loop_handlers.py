"""Runs asynchronous handlers in the event loop of the program."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from muster._json import payload_of
from muster._work.outcome import Abandoned, Settled, raised, returned

if TYPE_CHECKING:
    from muster._handlers.context import TaskContext
    from muster._handlers.execution import SessionCall
    from muster._handlers.handlers import HandlerSpec


class LoopExecution:
    """One call of an asynchronous handler. A cancellation raises `asyncio.CancelledError` in it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        spec: HandlerSpec,
        context: TaskContext,
        call: SessionCall,
    ) -> None:
        self._loop = loop
        self._spec = spec
        self._context = context
        self._call = call
        self._task: asyncio.Task[None] | None = None
        try:
            loop.call_soon_threadsafe(self._begin)
        except RuntimeError:
            call.settled(Abandoned("the event loop of the program has ended"))

    def cancel(self, reason: str) -> None:
        """Ask the handler to stop."""
        self._context._cancel(reason)  # noqa: SLF001 - the context is the handler's
        try:
            self._loop.call_soon_threadsafe(self._cancel_task)
        except RuntimeError:
            self._call.settled(Abandoned("the event loop of the program has ended"))

    def _is_cancelled(self) -> bool:
        """Whether the task was cancelled, rather than something that its handler waits for. Python 3.10 does not tell."""
        if self._context.cancelled or self._task is None or sys.version_info < (3, 11):
            return self._context.cancelled
        return self._task.cancelling() > 0

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._run())

    def _cancel_task(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        self._call.settled(await self._outcome())

    async def _outcome(self) -> Settled:
        try:
            payload = payload_of(self._context.payload_text)
            return returned(await self._spec.call(payload, self._context))
        except asyncio.CancelledError as error:
            # The program ends its tasks, or the attempt has ended: then nobody reads this.
            return Abandoned("the program ends") if self._is_cancelled() else raised(error)
        except KeyboardInterrupt as error:
            # Ctrl-C ends a program that does not handle it.
            self._call.settled(raised(error))
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises is its outcome
            return raised(error)
