"""Signals that drain a peer, and then close it."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_REPEAT_WINDOW = 1.0
"""One Ctrl-C can arrive twice: from the terminal, and forwarded by the program that started this one."""


@contextlib.contextmanager
def stop_signals(drain: Callable[[], None], close: Callable[[], None]) -> Iterator[None]:
    """Call `drain` on the first signal, `close` on a further one. Other threads than the main one get no signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stop = _StopSignals(drain, close)
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _StopSignals:
    """Called by the interpreter in the main thread, also while a handler keeps the program's loop busy."""

    def __init__(self, drain: Callable[[], None], close: Callable[[], None]) -> None:
        self._drain = drain
        self._close = close
        self._stopped_at: float | None = None

    def __call__(self, *_: object) -> None:
        now = time.monotonic()
        if self._stopped_at is None:
            self._stopped_at = now
            self._drain()
        elif now - self._stopped_at > _REPEAT_WINDOW:
            self._close()
