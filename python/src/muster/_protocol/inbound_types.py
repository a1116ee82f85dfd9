"""The messages that a mesh sends to a peer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from muster._json import JsonText

Role = Literal["controller", "worker", "dual"]
"""What a peer does: a controller submits tasks, a worker runs them, `dual` does both."""
ROLES: tuple[Role, ...] = ("controller", "worker", "dual")


@dataclass(frozen=True, slots=True)
class JoinedMesh:
    """The mesh that a peer has joined: its name and public keys."""

    id: str
    name: str
    public_key: str
    next_public_key: str | None
    """The key that replaces `public_key`, while the mesh rotates its key."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """When a peer whose session breaks may reconnect: `slot` / `per_second` seconds after the break, plus jitter."""

    slot: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Welcome:
    """The mesh has admitted the peer."""

    peer_id: str
    epoch: int
    role: Role
    mesh: JoinedMesh
    reconnect: Reconnect | None
    discovery: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a peer that proved its key is not admitted. The socket closes after it."""

    code: str
    reason: str
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class TaskOffer:
    """An attempt of a task that the mesh offers to this peer."""

    task_id: str
    fence: int
    kind: str
    payload: JsonText
    attempt: int
    lease_seconds: float
    attempt_timeout_seconds: float | None
    seal_to: str | None
    upload: str | None
    traceparent: str | None
    tracestate: str | None


@dataclass(frozen=True, slots=True)
class TaskReturn:
    """The mesh asks for a task that waits for a slot."""

    task_id: str
    fence: int


@dataclass(frozen=True, slots=True)
class TaskCancel:
    """The mesh cancels an attempt."""

    task_id: str
    fence: int
    reason: str


@dataclass(frozen=True, slots=True)
class DrainOrder:
    """The operator drains the peer."""

    reason: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class MeshErrorMessage:
    """The mesh refused a message. `details` holds Muster's own stable code."""

    code: float
    message: str
    details: str | None
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The mesh disconnects the peer; its close code, which follows, says whether to reconnect."""

    reason: str
    reconnect: Reconnect | None


@dataclass(frozen=True, slots=True)
class Ping:
    """The mesh measures the round trip."""

    sent_at: float


@dataclass(frozen=True, slots=True)
class Pong:
    """The mesh answers a ping."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The mesh's answer to an advert: IDs of the pointers of a few other peers."""

    pointers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskShown:
    """A task that this peer submitted."""

    task: dict[str, Any]
    ticket: str | None


@dataclass(frozen=True, slots=True)
class PeerRequest:
    """A request to this peer, which the mesh forwards."""

    type: str
    payload: JsonText


Inbound = (
    Welcome
    | Rejection
    | TaskOffer
    | TaskReturn
    | TaskCancel
    | DrainOrder
    | MeshErrorMessage
    | Disconnect
    | Ping
    | Pong
    | Sample
    | TaskShown
    | PeerRequest
)
