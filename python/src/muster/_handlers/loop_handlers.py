"""Runs asynchronous handlers in the event loop of the program."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

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

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._run())

    def _cancel_task(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        self._call.settled(await self._outcome())

    async def _outcome(self) -> Settled:
        payload: Any = json.loads(self._context.payload_text)
        try:
            return returned(await self._spec.call(payload, self._context))
        except asyncio.CancelledError:
            # The program ends its tasks, or the attempt has ended: then nobody reads this.
            return Abandoned("the handler was cancelled")
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is its outcome
            return raised(error)
