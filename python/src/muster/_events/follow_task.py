"""Yields a task as it is now, then after each change, until it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from muster._answers.tasks import Task
    from muster._events.task_changes import TaskChanges

TASK_POLL_INTERVAL = 1.0
"""How often a task is polled of a mesh that has no stream of events for it."""
_END_STATES = frozenset({"succeeded", "failed", "cancelled", "expired"})


async def follow_task(
    read: Callable[[float], Awaitable[Task]], changes: TaskChanges
) -> AsyncGenerator[Task, None]:
    """`read` returns the task now, or once it has ended, at most so many seconds later."""
    task = await read(0)
    yield task
    if task.state in _END_STATES:
        return
    watch = changes.watch(task.id)
    try:
        while True:
            is_told = await watch.next()
            current = await read(0 if is_told else TASK_POLL_INTERVAL)
            if current != task:
                yield current
            if current.state in _END_STATES:
                return
            task = current
    finally:
        watch.stop()
