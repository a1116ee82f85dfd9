"""Handlers that run in processes: functions of a module, which a process can import."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import muster

if TYPE_CHECKING:
    from muster import TaskContext


@muster.handler("hold", run_in="process")
def hold_lock_until(payload: Any) -> int:
    """Call a function of C that holds the interpreter's lock, until a file is there."""
    begun, enough = (Path(each) for each in payload)
    begun.touch()
    calls = 0
    while not enough.exists() or calls == 0:
        ctypes.PyDLL(None).usleep(400_000)
        calls += 1
    return calls


@muster.handler("describe", run_in="process")
def describe(payload: Any, context: TaskContext) -> dict[str, Any]:
    context.progress(0.5, "half")
    return {
        "payload": payload,
        "task_id": context.task_id,
        "kind": context.kind,
        "text": context.payload_text,
        "fence": context.fence,
        "attempt": context.attempt,
        "traceparent": context.traceparent,
        "pid": os.getpid(),
        "has_time": context.time_left is not None,
    }


@muster.handler("crash", run_in="process")
def crash(_: Any) -> None:
    os.abort()


@muster.handler("leave", run_in="process")
def leave(payload: Any) -> None:
    sys.exit(payload)


@muster.handler("raise", run_in="process")
def fail(payload: Any) -> None:
    if payload == "final":
        raise muster.FinalError("never again")
    raise ValueError(payload)


@muster.handler("wait", run_in="process")
def wait_cancelled(payload: Any, context: TaskContext) -> None:
    Path(payload).write_text(str(os.getpid()))
    context.wait_cancelled()
    Path(payload).write_text(f"stopped: {context.cancel_reason}")
    context.raise_if_cancelled()


@muster.handler("deaf", run_in="process")
def ignore_cancel(payload: Any) -> None:
    Path(payload).write_text(str(os.getpid()))
    while True:
        time.sleep(1)


@muster.handler("children", run_in="process")
def start_threads(_: Any) -> int:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    return os.getppid()


@muster.handler("program", run_in="process")
def start_program(payload: Any) -> None:
    """Start a program that has every descriptor of this process, and is not done when the attempt times out."""
    program = subprocess.Popen(["/bin/sleep", "1000"], close_fds=False)
    Path(payload).write_text(str(program.pid))
    program.wait()
