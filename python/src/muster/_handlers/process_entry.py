"""What runs in a process for handlers: it takes one call after the other from a pipe, and ends when the pipe does."""

from __future__ import annotations

import importlib
import importlib.util
import os
import queue
import signal
import sys
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from muster._handlers.context import TaskContext, TaskFacts
from muster._handlers.handlers import handlers_of
from muster._json import payload_of
from muster._protocol.constants import EVERY_KIND
from muster._work.outcome import outcome_of

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from types import ModuleType

    from muster._handlers.handlers import Handler


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """Where a process finds a handler: a function of a module, or the handler of a kind in a file."""

    module: str
    """The name of the module, or the path of its file."""
    name: str
    """The qualified name of the function, or the kind."""
    is_file: bool


@dataclass(frozen=True, slots=True)
class ProcessCall:
    """One call."""

    number: int
    ref: FunctionRef
    takes_context: bool
    facts: TaskFacts


@dataclass(frozen=True, slots=True)
class ProcessCancel:
    """Asks a call to stop. The process may run the next one by now."""

    number: int
    reason: str


def serve_calls(pipe: Connection) -> None:
    """Run calls until the pipe ends."""
    # The peer ends this process: a signal to everything in a terminal must not end running tasks.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    calls: queue.SimpleQueue[ProcessCall] = queue.SimpleQueue()
    contexts: dict[int, TaskContext] = {}

    def listen() -> None:
        while True:
            try:
                message = pipe.recv()
            except (EOFError, OSError):
                os._exit(1)  # the peer is gone, and the handler may never return
            if isinstance(message, ProcessCall):
                contexts[message.number] = TaskContext(message.facts, report)
                calls.put(message)
            elif isinstance(message, ProcessCancel) and message.number in contexts:
                contexts[message.number]._cancel(message.reason)  # noqa: SLF001 - the context is the handler's

    lock = threading.Lock()

    def send(message: Any) -> None:
        with lock:
            pipe.send(message)

    def report(fraction: float | None, text: str | None) -> None:
        send(("progress", fraction, text))

    threading.Thread(target=listen, daemon=True).start()
    while True:
        call = calls.get()
        outcome = outcome_of(partial(_run, call, contexts[call.number]))
        del contexts[call.number]
        send(("settled", outcome))


def _run(call: ProcessCall, context: TaskContext) -> Any:
    function = resolve(call.ref)
    payload = payload_of(call.facts.payload_text)
    return function(payload, context) if call.takes_context else function(payload)


def resolve(ref: FunctionRef) -> Handler:
    """Return the handler."""
    if ref.is_file:
        specs = handlers_of(load_module(ref.module))
        return specs[ref.name if ref.name in specs else EVERY_KIND].function
    found: Any = importlib.import_module(ref.module)
    for part in ref.name.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


_loaded: dict[str, ModuleType] = {}


def load_module(path: str) -> ModuleType:
    """Load a module from its file, once in each process. Its folder comes first where modules are looked for."""
    full = os.path.realpath(path)
    if full in _loaded:
        return _loaded[full]
    name = os.path.splitext(os.path.basename(full))[0]  # noqa: PTH119, PTH122 - as in the line above
    spec = importlib.util.spec_from_file_location(name, full)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no module of Python: its name must end in .py")
    sys.path.insert(0, os.path.dirname(full))  # noqa: PTH120 - as in the lines above
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    _loaded[full] = module
    return module
