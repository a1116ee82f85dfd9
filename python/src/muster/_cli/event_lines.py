"""One line of text for an event of a peer; of an outage few lines."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import TYPE_CHECKING, Any

from muster._peer import events
from muster._protocol import close_codes
from muster.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable


def event_line(event: events.PeerEvent) -> str:
    """Return the line of an event."""
    line: str = _LINES[event.type](event)
    return line


def event_json(event: events.PeerEvent) -> str:
    """Return an event as one JSON object, for programs."""
    members = {each.name: getattr(event, each.name) for each in dataclasses.fields(event)}
    return json.dumps({"type": event.type, **members}, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, PeerError):
        return {"code": value.code, "message": str(value)}
    return dataclasses.asdict(value)


class OutageLines:
    """One line when an outage begins, one for each further kind of reason, one when it ends."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._since: float | None = None
        self._told: set[str] = set()

    def line(self, event: events.PeerEvent) -> str | None:
        """Return the line of an event; None if it is not told."""
        if isinstance(event, events.Connecting) and self._since is not None:
            return None
        if isinstance(event, events.Ready):
            return self._joined(event_line(event))
        if not isinstance(event, events.Disconnected):
            return event_line(event)
        kind = str(event.code) if event.failure is None else event.failure.code
        if self._since is None:
            self._since = self._now()
        if kind in self._told:
            return None
        self._told.add(kind)
        return event_line(event)

    def _joined(self, text: str) -> str:
        since, self._since = self._since, None
        self._told.clear()
        if since is None:
            return text
        return f"{text}, after {round(self._now() - since)} s without the mesh"


def _connecting(event: events.Connecting) -> str:
    again = "" if event.failures == 0 else f" (attempt {event.failures + 1})"
    return f"connecting to {event.url}{again}"


def _ready(event: events.Ready) -> str:
    return f"joined {event.mesh.name or 'the mesh'} as {event.role} {event.peer_id}"


def _disconnected(event: events.Disconnected) -> str:
    if event.failure is not None:
        return f"{event.failure.message}; trying again in {event.retry_in:.1f} s"
    is_restart = event.code == close_codes.DRAINING
    what = "the mesh restarts" if is_restart else "disconnected"
    reason = "" if event.reason == "" else f", {event.reason}"
    return f"{what} ({event.code}{reason}), reconnecting in {event.retry_in:.1f} s"


def _key_in_use(event: events.KeyInUseElsewhere) -> str:
    return (
        "another process uses this key; give each process a key of its own: "
        f"{event.reason}; trying again in {event.retry_in:.0f} s"
    )


def _draining(event: events.Draining) -> str:
    order = f" by order of the mesh: {event.reason}" if event.by == "mesh" else ""
    return f"draining for at most {event.timeout:g} s{order}"


def _task(event: Any) -> str:
    return f"task {event.task_id} {event.kind}:"


def _failed(event: events.TaskAttemptFailed) -> str:
    final = "" if event.retry else " and will not be retried"
    return f"{_task(event)} failed{final}: {event.error}"


def _unsettled(event: events.HandlerUnsettled) -> str:
    return (
        f"{_task(event)} its handler has not stopped and occupies a slot "
        f"({event.unsettled} such handlers)"
    )


def _blocked(event: events.LoopBlocked) -> str:
    return (
        f"the session was blocked for {event.seconds:g} s, and no lease was renewed meanwhile; "
        'run handlers that hold the interpreter\'s lock with run_in="process"'
    )


_LINES: dict[str, Callable[[Any], str]] = {
    "connecting": _connecting,
    "ready": _ready,
    "rejected": lambda event: f"rejected: {event.reason} ({event.code})",
    "rotated": lambda event: f"rotated its key; the new peer ID is {event.peer_id}",
    "disconnected": _disconnected,
    "key_in_use": _key_in_use,
    "draining": _draining,
    "sample": lambda event: f"received {len(event.pointers)} pointers from the mesh",
    "task_started": lambda event: f"{_task(event)} started, attempt {event.attempt}",
    "task_succeeded": lambda event: f"{_task(event)} succeeded",
    "task_failed": _failed,
    "task_cancelled": lambda event: f"{_task(event)} cancelled: {event.reason}",
    "handler_unsettled": _unsettled,
    "loop_blocked": _blocked,
    "task_refused": lambda event: f"{_task(event)} refused: {event.reason}",
    "mesh_error": lambda event: f"error from the mesh: {event.message} ({event.code})",
    "frame_ignored": lambda event: f"ignored {event.reason}",
    "closed": lambda event: (
        "left the mesh" if event.error is None else f"disconnected for good: {event.error}"
    ),
}
