"""Runs synchronous handlers in processes: for code that holds the interpreter's lock, and for code that may crash."""

from __future__ import annotations

import atexit
import itertools
import multiprocessing
import multiprocessing.util
import threading
import time
from typing import TYPE_CHECKING, Any

from muster._handlers.process_entry import (
    FunctionRef,
    ProcessCall,
    ProcessCancel,
    resolve,
    serve_calls,
)
from muster._work.outcome import Failed, failed, raised
from muster.errors import OptionsError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from muster._handlers.context import TaskFacts
    from muster._handlers.execution import SessionCall
    from muster._handlers.handlers import HandlerSpec

ABORT_GRACE = 1.0
"""How long a handler in a process may take to return after its cancellation; then its process is ended."""
_END_CHECK_INTERVAL = 1.0
_END_MAX = 5.0
"""How long a process whose pipe has ended may take to end."""


def function_ref(spec: HandlerSpec) -> FunctionRef:
    """Return where a process finds a handler. Raises `OptionsError` if it can't."""
    function = spec.function
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    text = (
        f"the handler {name or function!r} can't run in a process: it must be a function of a module, "
        "which a process can import"
    )
    if not isinstance(module, str) or not isinstance(name, str) or "<" in name:
        raise OptionsError(text)
    ref = FunctionRef(module, name, is_file=False)
    try:
        found = resolve(ref)
    except (ImportError, AttributeError):
        raise OptionsError(text) from None
    if found is not function:
        raise OptionsError(text)
    return ref


class ProcessPool:
    """Processes that wait for work. Each runs one handler at a time, and is used again."""

    def __init__(self) -> None:
        # Forking a process that has threads may copy a lock that nobody releases.
        self._context = multiprocessing.get_context("spawn")
        self._idle: list[_HandlerProcess] = []
        self._lock = threading.Lock()
        self._all: set[_HandlerProcess] = set()
        self._is_stopped = False
        self._numbers = itertools.count()
        # `multiprocessing.util`, which is imported above, waits for its processes when the program ends; these wait for work. What was
        # registered last is called first.
        atexit.register(self.stop)

    def start(
        self, ref: FunctionRef, spec: HandlerSpec, facts: TaskFacts, call: SessionCall
    ) -> ProcessExecution:
        """Call a handler."""
        message = ProcessCall(next(self._numbers), ref, spec.takes_context, facts)
        return ProcessExecution(self, message, call)

    def take(self) -> _HandlerProcess:
        """Return a process that runs nothing. Starting one takes a while: call it in a thread."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        process = _HandlerProcess(self._context)
        with self._lock:
            self._all.add(process)
            is_stopped = self._is_stopped
        if is_stopped:
            process.kill()
        return process

    def give_back(self, process: _HandlerProcess) -> None:
        """Keep a process whose handler has returned."""
        with self._lock:
            if process.is_usable and not self._is_stopped:
                self._idle.append(process)
                return
            self._all.discard(process)
        process.kill()

    def stop(self) -> None:
        """End all processes."""
        with self._lock:
            self._is_stopped = True
            processes, self._all = list(self._all), set()
            self._idle.clear()
        atexit.unregister(self.stop)
        for process in processes:
            process.kill()


class _HandlerProcess:
    """A process, and the pipe to it."""

    def __init__(self, context: multiprocessing.context.SpawnContext) -> None:
        own, theirs = context.Pipe()
        self._pipe: Connection = own
        self._lock = threading.Lock()
        # A daemonic process could not start processes of its own.
        self._process = context.Process(
            target=serve_calls, args=(theirs,), name="muster-handler", daemon=False
        )
        self._process.start()
        theirs.close()
        self.is_usable = True

    def send(self, message: Any) -> None:
        """Send a message. That of a process that is gone is dropped: `receive` says so."""
        with self._lock:
            try:
                self._pipe.send(message)
            except (OSError, ValueError):
                self.is_usable = False

    def receive(self) -> Any:
        """Return the next message; None when the process is gone."""
        try:
            # A program that the handler has started may keep the pipe open after the process itself has ended.
            while not self._pipe.poll(_END_CHECK_INTERVAL):
                if self._process.exitcode is not None and not self._pipe.poll():
                    self.is_usable = False
                    return None
            return self._pipe.recv()
        except (EOFError, OSError):
            self.is_usable = False
            return None

    def kill(self) -> None:
        """End the process, whatever it does."""
        self.is_usable = False
        self._process.kill()

    def end_text(self) -> str:
        """Say how the process ended."""
        ends_at = time.monotonic() + _END_MAX
        while (code := self._process.exitcode) is None and time.monotonic() < ends_at:
            time.sleep(0.01)
        if code is not None and code < 0:
            return f"was ended by signal {-code}"
        return f"ended with exit code {code}"


class ProcessExecution:
    """One call of a handler in a process."""

    def __init__(self, pool: ProcessPool, message: ProcessCall, call: SessionCall) -> None:
        self._pool = pool
        self._message = message
        self._call = call
        self._process: _HandlerProcess | None = None
        self._reason: str | None = None
        self._lock = threading.Lock()
        self._has_settled = threading.Event()
        threading.Thread(target=self._run, name="muster-process", daemon=True).start()

    def cancel(self, reason: str) -> None:
        """Ask the handler to stop; after `ABORT_GRACE` its process is ended."""
        with self._lock:
            self._reason = reason
            process = self._process
        if process is not None:
            # A process that is still starting, or that does not read, keeps the sender waiting.
            message = ProcessCancel(self._message.number, reason)
            threading.Thread(target=process.send, args=(message,), daemon=True).start()
            threading.Thread(target=self._end_later, args=(process,), daemon=True).start()

    def _end_later(self, process: _HandlerProcess) -> None:
        if not self._has_settled.wait(ABORT_GRACE):
            process.kill()

    def _run(self) -> None:
        try:
            process = self._pool.take()
        except Exception as error:  # noqa: BLE001 - of the system, or of the module that is imported again
            text = raised(error).error
            self._call.settled(failed(f"no process can be started: {text}", retry=True))
            return
        with self._lock:
            self._process = process
            reason = self._reason
        if reason is None:
            process.send(self._message)
            outcome = self._outcome(process)
        else:
            outcome = failed(reason, retry=True)  # cancelled before it began
        self._has_settled.set()
        self._pool.give_back(process)
        self._call.settled(outcome)

    def _outcome(self, process: _HandlerProcess) -> Any:
        while True:
            message = process.receive()
            if message is None:
                return self._crashed(process)
            if message[0] == "settled":
                return message[1]
            self._call.progress(message[1], message[2])

    def _crashed(self, process: _HandlerProcess) -> Failed:
        return failed(f"the process that ran the handler {process.end_text()}", retry=True)
