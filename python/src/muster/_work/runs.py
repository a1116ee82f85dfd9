"""The runs of a peer and the slots that they occupy."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from muster._handlers.execution import Execution
    from muster._work.lease_renewal import LeaseRenewal

UNSETTLED_HANDLER_WARNING = 5.0
"""A handler that runs for this long after its attempt has ended is reported: it occupies a slot."""


@dataclass(slots=True, eq=False)
class Run:
    """A task that this peer has accepted."""

    task_id: str
    kind: str
    fence: int
    """The attempt's fence. A newer attempt may continue the running work: it replaces fence and upload secret."""
    upload_secret: str | None
    start: Callable[[], None] | None
    """Starts the handler; None once it was started. It starts when the accept has been sent and a slot is free."""
    renewal: LeaseRenewal
    timeout: asyncio.TimerHandle | None = None
    execution: Execution | None = None
    """The handler that was called."""
    is_handler_running: bool = False
    upload: asyncio.Task[Any] | None = None

    @property
    def is_started(self) -> bool:
        """Whether the handler was called, or is about to be."""
        return self.start is None


class Runs:
    """A run occupies its slot from its acceptance (or, when it was prefetched, from its start) until its handler has settled.

    That is so also when the attempt ended earlier: a cancellation only asks a handler to stop. `on_unsettled` is called when a handler
    has run for `UNSETTLED_HANDLER_WARNING` after its attempt ended.
    """

    def __init__(self, on_unsettled: Callable[[Run, int], None]) -> None:
        self._on_unsettled = on_unsettled
        self._current: dict[str, Run] = {}
        self._prefetched: dict[str, Run] = {}
        self._unsettled: dict[int, tuple[Run, asyncio.TimerHandle]] = {}

    def __len__(self) -> int:
        """Runs that occupy a slot or wait for one."""
        return len(self._current) + len(self._unsettled)

    @property
    def current(self) -> list[Run]:
        """Runs whose attempt has not ended."""
        return list(self._current.values())

    @property
    def first_prefetched(self) -> Run | None:
        """The run that has waited longest for a free slot."""
        return next(iter(self._prefetched.values()), None)

    @property
    def occupied_slots(self) -> int:
        """How many slots are not free."""
        return len(self) - len(self._prefetched)

    def get(self, task_id: str) -> Run | None:
        """Return the run of a task."""
        return self._current.get(task_id)

    def is_current(self, run: Run) -> bool:
        """Whether the attempt goes on. False once it has ended, also if a newer run of the same task exists."""
        return self._current.get(run.task_id) is run

    def is_prefetched(self, run: Run) -> bool:
        """Whether the run waits for a free slot."""
        return self._prefetched.get(run.task_id) is run

    def add(self, run: Run) -> None:
        """Add a run."""
        self._current[run.task_id] = run

    def set_prefetched(self, run: Run, *, is_prefetched: bool) -> None:
        """Set whether the run waits for a free slot."""
        if is_prefetched:
            self._prefetched[run.task_id] = run
        elif self.is_prefetched(run):
            del self._prefetched[run.task_id]

    def end(self, run: Run) -> None:
        """The attempt has ended. The slot stays occupied while the handler runs."""
        if self.is_current(run):
            del self._current[run.task_id]
        self.set_prefetched(run, is_prefetched=False)
        run.renewal.stop()
        if run.timeout is not None:
            run.timeout.cancel()
        if run.is_handler_running:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(UNSETTLED_HANDLER_WARNING, self._warn, run)
            self._unsettled[id(run)] = (run, timer)

    def handler_settled(self, run: Run) -> None:
        """The handler has settled."""
        run.is_handler_running = False
        unsettled = self._unsettled.pop(id(run), None)
        if unsettled is not None:
            unsettled[1].cancel()

    def stop(self) -> None:
        """The peer has closed: no warning is given any more."""
        for _, timer in self._unsettled.values():
            timer.cancel()

    def _warn(self, run: Run) -> None:
        self._on_unsettled(run, len(self._unsettled))
