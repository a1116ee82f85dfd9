"""What the `on_event` of a peer receives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from muster._connection.failure import ConnectFailure
    from muster._protocol.inbound_types import JoinedMesh, Role
    from muster.errors import PeerError


@dataclass(frozen=True, slots=True)
class Connecting:
    """A dial begins, after `failures` failures in a row."""

    url: str
    failures: int
    type: Literal["connecting"] = field(default="connecting", init=False)


@dataclass(frozen=True, slots=True)
class Ready:
    """The mesh said welcome: tasks can be offered. Again after each reconnect."""

    peer_id: str
    epoch: int
    role: Role
    mesh: JoinedMesh
    type: Literal["ready"] = field(default="ready", init=False)


@dataclass(frozen=True, slots=True)
class Rejected:
    """The mesh does not admit the peer, and closes the socket next."""

    code: str
    reason: str
    type: Literal["rejected"] = field(default="rejected", init=False)


@dataclass(frozen=True, slots=True)
class Rotated:
    """The peer has a new key and was welcomed under it."""

    peer_id: str
    type: Literal["rotated"] = field(default="rotated", init=False)


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection ended; the peer dials again after `retry_in` seconds."""

    code: int
    """The WebSocket close code."""
    reason: str
    retry_in: float
    failure: ConnectFailure | None = None
    """Why no session began; None after a session, and if the reason is not known."""
    type: Literal["disconnected"] = field(default="disconnected", init=False)


@dataclass(frozen=True, slots=True)
class KeyInUseElsewhere:
    """Another process uses this peer's key: give each process a key of its own.

    The peer tries again after `retry_in` seconds, and each time after a longer pause, so that the two do not end each other's sessions.
    """

    reason: str
    retry_in: float
    type: Literal["key_in_use"] = field(default="key_in_use", init=False)


@dataclass(frozen=True, slots=True)
class Draining:
    """The peer drains: it takes nothing new, and closes when what runs has ended, after `timeout` seconds at the latest."""

    by: Literal["peer", "mesh"]
    reason: str
    timeout: float
    type: Literal["draining"] = field(default="draining", init=False)


@dataclass(frozen=True, slots=True)
class SampleReceived:
    """The mesh's answer to an advert: IDs of the pointers of a few other peers."""

    pointers: tuple[str, ...]
    type: Literal["sample"] = field(default="sample", init=False)


@dataclass(frozen=True, slots=True)
class TaskRefused:
    """An offer was refused, or handed back before it was started."""

    task_id: str
    kind: str
    reason: str
    type: Literal["task_refused"] = field(default="task_refused", init=False)


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """The handler was called. `attempt` is 1 for the first attempt of the task, on whichever peer."""

    task_id: str
    kind: str
    attempt: int
    type: Literal["task_started"] = field(default="task_started", init=False)


@dataclass(frozen=True, slots=True)
class TaskSucceeded:
    """The mesh has committed the result."""

    task_id: str
    kind: str
    type: Literal["task_succeeded"] = field(default="task_succeeded", init=False)


@dataclass(frozen=True, slots=True)
class TaskAttemptFailed:
    """The handler failed, or its attempt timed out, and the mesh has recorded it."""

    task_id: str
    kind: str
    error: str
    retry: bool
    """Whether the mesh may try the task again."""
    type: Literal["task_failed"] = field(default="task_failed", init=False)


@dataclass(frozen=True, slots=True)
class TaskCancelled:
    """The attempt ended otherwise.

    The mesh cancelled it or has given the task to another peer, the peer closes, or the mesh refused the result, for example because it
    came after the lease.
    """

    task_id: str
    kind: str
    reason: str
    type: Literal["task_cancelled"] = field(default="task_cancelled", init=False)


@dataclass(frozen=True, slots=True)
class HandlerUnsettled:
    """A handler still runs 5 s after its attempt has ended, and occupies a slot: it should stop when it is cancelled."""

    task_id: str
    kind: str
    unsettled: int
    """How many handlers run at present although their attempts have ended."""
    type: Literal["handler_unsettled"] = field(default="handler_unsettled", init=False)


@dataclass(frozen=True, slots=True)
class LoopBlocked:
    """Something has kept the session's thread from running for so long: no lease was renewed and no heartbeat sent.

    Most likely a handler called into a C extension that holds the interpreter's lock: run it in a process.
    """

    seconds: float
    type: Literal["loop_blocked"] = field(default="loop_blocked", init=False)


@dataclass(frozen=True, slots=True)
class MeshRefused:
    """The mesh refused a message, for example a result whose lease had expired."""

    code: str | None
    message: str
    type: Literal["mesh_error"] = field(default="mesh_error", init=False)


@dataclass(frozen=True, slots=True)
class FrameIgnored:
    """A frame was dropped: unreadable, or not valid."""

    reason: str
    type: Literal["frame_ignored"] = field(default="frame_ignored", init=False)


@dataclass(frozen=True, slots=True)
class Closed:
    """The peer has ended: after `close()` without an error, or refused by the mesh."""

    error: PeerError | None
    type: Literal["closed"] = field(default="closed", init=False)


PeerEvent = (
    Connecting
    | Ready
    | Rejected
    | Rotated
    | Disconnected
    | KeyInUseElsewhere
    | Draining
    | SampleReceived
    | TaskRefused
    | TaskStarted
    | TaskSucceeded
    | TaskAttemptFailed
    | TaskCancelled
    | HandlerUnsettled
    | LoopBlocked
    | MeshRefused
    | FrameIgnored
    | Closed
)
