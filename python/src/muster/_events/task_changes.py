"""Tells when tasks change, by one stream of events for all tasks that a controller follows."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from muster._base.time_limit import TimeLimit
from muster._events.follow_events import Follow, follow_events
from muster._events.options import GapEvent
from muster.errors import MusterError

if TYPE_CHECKING:
    from muster._http.api import Api

_TASKS_MAX = 100
"""Tasks that one stream may name."""
_WATCH_GATHER = 0.02
"""Tasks that begin to be followed within this time share one request."""
_STREAM_REFUSED_FOR = 60.0
"""For this time a stream that was refused is not asked for again."""
_READ_INTERVAL = 60.0
"""A followed task is read at least this often, whatever its stream says."""


class TaskChanges:
    """The stream is opened again, where it was, when a task is added; it ends with the last one. A mesh that refuses it is polled."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._watches: dict[str, set[Watch]] = {}
        self._covered: frozenset[str] | None = frozenset()
        """The tasks of the present stream; None for every task."""
        self._position: str | None = None
        self._stream: asyncio.Task[None] | None = None
        self._gathering: asyncio.TimerHandle | None = None
        self._refused_until = 0.0

    def watch(self, task_id: str) -> Watch:
        """Begin to watch a task. `stop` must be called."""
        watch = Watch(self, task_id)
        self._watches.setdefault(task_id, set()).add(watch)
        if self._covers(task_id):
            # The stream may have told of a change between the caller's last read and now.
            watch.wake()
        elif not self.is_refused():
            self._gather()
        return watch

    def is_refused(self) -> bool:
        """Whether tasks are polled, because the mesh has refused the stream."""
        if time.monotonic() < self._refused_until:
            return True
        if self._stream is None and self._gathering is None and self._watches:
            self._gather()
        return False

    def stop(self, watch: Watch) -> None:
        """End a watch."""
        same = self._watches.get(watch.task_id, set())
        same.discard(watch)
        if not same:
            self._watches.pop(watch.task_id, None)
        if not self._watches:
            self._end()

    async def close(self) -> None:
        """End the stream."""
        stream = self._stream
        self._end()
        if stream is not None:
            await asyncio.wait({stream})

    def _covers(self, task_id: str) -> bool:
        return self._stream is not None and (self._covered is None or task_id in self._covered)

    def _gather(self) -> None:
        if self._gathering is None:
            loop = asyncio.get_running_loop()
            self._gathering = loop.call_later(_WATCH_GATHER, self._begin)

    def _begin(self) -> None:
        """Open a stream for the tasks that are watched now, in place of the one before."""
        self._gathering = None
        if not self._watches:
            return
        if self._stream is not None:
            self._stream.cancel()
        is_every = len(self._watches) > _TASKS_MAX
        self._covered = None if is_every else frozenset(self._watches)
        query = {"type": "task."} if is_every else {"task": ",".join(self._watches)}
        self._stream = asyncio.create_task(self._follow(query))

    async def _follow(self, query: dict[str, str]) -> None:
        own = asyncio.current_task()
        follow = Follow(
            query,
            outage=float("inf"),
            after=self._position,
            on_position=self._set_position,
            # What happened before the stream was open, or while it was broken, is read. When it can't be opened, the read tells why.
            on_open=self._wake_all,
            on_break=self._wake_all,
        )
        try:
            async with contextlib.aclosing(follow_events(self._api, follow)) as events:
                async for event in events:
                    if isinstance(event, GapEvent):
                        self._wake_all()
                    else:
                        self._wake(getattr(event, "task", ""))
        except MusterError:
            if self._stream is own:
                self._refused_until = time.monotonic() + _STREAM_REFUSED_FOR
                self._stream = None
                self._position = None
                self._wake_all()

    def _set_position(self, position: str) -> None:
        self._position = position

    def _wake(self, task_id: str) -> None:
        for watch in self._watches.get(task_id, ()):
            watch.wake()

    def _wake_all(self) -> None:
        for same in self._watches.values():
            for watch in same:
                watch.wake()

    def _end(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
        self._gathering = None
        if self._stream is not None:
            self._stream.cancel()
        self._stream = None
        self._position = None


class Watch:
    """One reader of a task that waits for its changes."""

    def __init__(self, changes: TaskChanges, task_id: str) -> None:
        self.task_id = task_id
        self._changes = changes
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """The task may have changed."""
        self._woken.set()

    def stop(self) -> None:
        """End the watch."""
        self._changes.stop(self)

    async def next(self) -> bool:
        """Return when the task may have changed since the last call; False if it has to be polled, because there is no stream."""
        if not self._woken.is_set() and not self._changes.is_refused():
            with contextlib.suppress(asyncio.TimeoutError):
                async with TimeLimit(_READ_INTERVAL):
                    await self._woken.wait()
        is_read = self._woken.is_set() or not self._changes.is_refused()
        self._woken.clear()
        return is_read
