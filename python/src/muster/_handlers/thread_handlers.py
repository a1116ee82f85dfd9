"""Runs synchronous handlers in threads."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any

from muster._json import payload_of
from muster._work.outcome import outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from muster._handlers.context import TaskContext
    from muster._handlers.execution import SessionCall
    from muster._handlers.handlers import HandlerSpec

_IDLE_MAX = 300.0
"""A thread without work ends after this time."""


class ThreadWorkers:
    """Threads that end with the program: a handler that never returns does not keep it running."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._free = 0

    def submit(self, work: Callable[[], None]) -> None:
        """Run a function in a thread that is free, or in a new one."""
        with self._lock:
            needs_thread = self._free == 0
            if not needs_thread:
                self._free -= 1
        if needs_thread:
            # Raises when the system has no further thread: then nothing waits for one.
            threading.Thread(target=self._run, name="muster-handler", daemon=True).start()
        self._work.put(work)

    def _run(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=_IDLE_MAX)
            except queue.Empty:
                with self._lock:
                    # Work that was given to a free thread is on its way.
                    if self._free == 0:
                        continue
                    self._free -= 1
                    return
            work()
            del work
            with self._lock:
                self._free += 1


class ThreadExecution:
    """One call of a synchronous handler. It learns of a cancellation by its context only."""

    def __init__(
        self, workers: ThreadWorkers, spec: HandlerSpec, context: TaskContext, call: SessionCall
    ) -> None:
        self._spec = spec
        self._context = context
        self._call = call
        workers.submit(self._run)

    def cancel(self, reason: str) -> None:
        """Ask the handler to stop."""
        self._context._cancel(reason)  # noqa: SLF001 - the context is the handler's

    def _run(self) -> None:
        self._call.settled(outcome_of(self._run_handler))

    def _run_handler(self) -> Any:
        return self._spec.call(payload_of(self._context.payload_text), self._context)
