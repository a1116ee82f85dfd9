"""Calls handlers where they run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from muster._handlers.context import TaskContext, facts_of
from muster._handlers.execution import SessionCall
from muster._handlers.loop_handlers import LoopExecution
from muster._handlers.process_entry import FunctionRef
from muster._handlers.process_handlers import ProcessPool, function_ref
from muster._handlers.thread_handlers import ThreadExecution, ThreadWorkers
from muster._protocol.constants import EVERY_KIND
from muster._work.outcome import raised

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from muster._handlers.execution import Call, Execution
    from muster._handlers.handlers import HandlerSpec
    from muster._protocol.inbound_types import TaskOffer


@dataclass(slots=True)
class HandlerExecutor:
    """The handlers of a peer, and what runs them."""

    program_loop: asyncio.AbstractEventLoop | None = None
    """Where asynchronous handlers run, once the peer has started."""
    specs: dict[str, HandlerSpec] = field(default_factory=dict)
    _refs: dict[str, FunctionRef] = field(default_factory=dict)
    _threads: ThreadWorkers = field(default_factory=ThreadWorkers)
    _processes: ProcessPool = field(default_factory=ProcessPool)

    def add(self, specs: Mapping[str, HandlerSpec], file: str | None = None) -> None:
        """Add handlers; `file`: the module that they come from. Raises `OptionsError` for one that can't run where it should."""
        for kind, spec in specs.items():
            if spec.run_in == "process":
                self._refs[kind] = function_ref(spec) if file is None else _file_ref(file, kind)
        self.specs.update(specs)

    @property
    def can_run(self) -> bool:
        """Whether the loop of the program goes on: it may have ended without closing the peer."""
        return self.program_loop is None or not self.program_loop.is_closed()

    def key_of(self, kind: str) -> str | None:
        """Return the key of the handler for a kind: its own, or that of every kind."""
        if kind in self.specs:
            return kind
        return EVERY_KIND if EVERY_KIND in self.specs else None

    def start(
        self, offer: TaskOffer, call: Call, session_loop: asyncio.AbstractEventLoop
    ) -> Execution:
        """Call the handler of an offered attempt. An attempt whose handler can't be called has failed."""
        reports = SessionCall(session_loop, call)
        try:
            return self._execution(offer, reports)
        except Exception as error:  # noqa: BLE001 - such as the system's, which has no further thread
            reports.settled(raised(error))
            return _NotStarted()

    def stop(self) -> None:
        """End the processes."""
        self._processes.stop()

    def _execution(self, offer: TaskOffer, reports: SessionCall) -> Execution:
        key = self.key_of(offer.kind) or ""
        spec = self.specs[key]
        facts = facts_of(offer)
        if spec.run_in == "process":
            return self._processes.start(self._refs[key], spec, facts, reports)
        context = TaskContext(facts, reports.progress)
        if spec.run_in == "thread" or self.program_loop is None:
            return ThreadExecution(self._threads, spec, context, reports)
        return LoopExecution(self.program_loop, spec, context, reports)


class _NotStarted:
    def cancel(self, reason: str) -> None:
        """Nothing runs."""


def _file_ref(file: str, kind: str) -> FunctionRef:
    return FunctionRef(file, kind, is_file=True)
