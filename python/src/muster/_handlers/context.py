"""What a handler knows about its task besides the payload."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Report = tuple["float | None", "str | None"]


class TaskCancelledError(Exception):
    """Raised by `TaskContext.raise_if_cancelled`: the attempt has ended, and the handler should stop."""


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What does not change while a handler runs. It can be sent to another process."""

    task_id: str
    kind: str
    payload_text: str
    attempt: int
    fence: int
    traceparent: str | None
    tracestate: str | None
    timeout: float | None


class TaskContext:
    """The second argument of a handler. Its methods may be called from any thread."""

    def __init__(
        self, facts: TaskFacts, report: Callable[[float | None, str | None], None]
    ) -> None:
        self._facts = facts
        self._report = report
        self._cancelled = threading.Event()
        self._reason: str | None = None
        self._ends_at = None if facts.timeout is None else time.monotonic() + facts.timeout

    def __repr__(self) -> str:
        return f"TaskContext(task_id={self.task_id!r}, kind={self.kind!r})"

    @property
    def task_id(self) -> str:
        """The ID of the task."""
        return self._facts.task_id

    @property
    def kind(self) -> str:
        """The kind of the task."""
        return self._facts.kind

    @property
    def payload_text(self) -> str:
        """The payload as JSON, exactly as it was submitted: parsing rounds long decimals."""
        return self._facts.payload_text

    @property
    def attempt(self) -> int:
        """1 for the first attempt of the task, on whichever peer."""
        return self._facts.attempt

    @property
    def fence(self) -> int:
        """The fence of the attempt: of two attempts of a task the later one has the larger fence.

        A program that writes elsewhere can pass it on, so that a late write of an earlier attempt is recognized.
        """
        return self._facts.fence

    @property
    def traceparent(self) -> str | None:
        """The trace that the task belongs to (W3C Trace Context), for requests that the handler makes."""
        return self._facts.traceparent

    @property
    def tracestate(self) -> str | None:
        """What tracing systems add to `traceparent`."""
        return self._facts.tracestate

    @property
    def deadline(self) -> float | None:
        """When the attempt times out, by `time.monotonic()` of this process; None if it may take any time."""
        return self._ends_at

    @property
    def time_left(self) -> float | None:
        """Seconds until the attempt times out, 0 at least; None if it may take any time."""
        return None if self._ends_at is None else max(0.0, self._ends_at - time.monotonic())

    @property
    def cancelled(self) -> bool:
        """Whether the attempt has ended: the mesh cancelled the task, the attempt timed out, or the peer closes.

        The handler should stop: its result will be dropped, and it occupies its slot until it has returned. An asynchronous handler is
        cancelled as well.
        """
        return self._cancelled.is_set()

    @property
    def cancel_reason(self) -> str | None:
        """Why the attempt has ended; None while it goes on."""
        return self._reason

    def raise_if_cancelled(self) -> None:
        """Raise `TaskCancelledError` if the attempt has ended."""
        if self.cancelled:
            raise TaskCancelledError(self._reason)

    def wait_cancelled(self, timeout: float | None = None) -> bool:
        """Wait in a thread until the attempt has ended, `timeout` seconds at most. Returns whether it has ended."""
        return self._cancelled.wait(timeout)

    def progress(self, fraction: float | None = None, message: str | None = None) -> None:
        """Report progress to the mesh: a fraction from 0 to 1, a message of at most 500 characters, or both."""
        self._report(fraction, message)

    def _cancel(self, reason: str) -> None:
        self._reason = reason
        self._cancelled.set()


def facts_of(offer: Any) -> TaskFacts:
    """Return what the handler of an offered attempt gets."""
    return TaskFacts(
        offer.task_id,
        offer.kind,
        offer.payload.text,
        offer.attempt,
        offer.fence,
        offer.traceparent,
        offer.tracestate,
        offer.attempt_timeout_seconds,
    )
