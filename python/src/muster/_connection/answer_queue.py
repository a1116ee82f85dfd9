"""Answers that wait until the mesh has processed earlier ones."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from muster._json import JsonText

if TYPE_CHECKING:
    from muster._connection.outgoing import Outgoing


class AnswerQueue:
    """Accepts and refusals go first, because an offer lapses soon; then progress, because it renews leases; then results.

    Of one task only the newest progress waits: only the newest says anything. An accept replaces the progress of its task, because it
    renews the lease as well and the progress was of an earlier state.
    """

    def __init__(self) -> None:
        self._decisions: deque[Outgoing] = deque()
        self._progress: dict[str, Outgoing] = {}
        self._results: deque[Outgoing] = deque()

    def __len__(self) -> int:
        return len(self._decisions) + len(self._progress) + len(self._results)

    def push(self, message: Outgoing) -> None:
        """Add a message."""
        if message.type == "task_result":
            self._results.append(message)
            return
        task_id = task_of(message)
        self._progress.pop(task_id, None)
        if message.type == "task_progress":
            self._progress[task_id] = message
        else:
            self._decisions.append(message)

    def shift(self) -> Outgoing | None:
        """Take the message whose turn it is."""
        if self._decisions:
            return self._decisions.popleft()
        if self._progress:
            return self._progress.pop(next(iter(self._progress)))
        return self._results.popleft() if self._results else None

    def clear(self) -> None:
        """Drop what waits."""
        self._decisions.clear()
        self._progress.clear()
        self._results.clear()


def task_of(message: Outgoing) -> str:
    """Return the task that an answer is about."""
    payload = message.payload
    return "" if isinstance(payload, JsonText) else str(payload.get("task_id"))
