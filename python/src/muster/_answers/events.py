"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from muster._answers.names import PeerState, Scheduling, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEventView:
    """`TaskEventView` of the API."""

    id: str
    """A position in the log: the `id` of an event.

    In a mesh of several cells it has a number for each, separated by dots.
    """
    at: str
    """When the change was committed; RFC 3339, UTC."""
    type: Literal[
        "task.queued",
        "task.leased",
        "task.running",
        "task.succeeded",
        "task.failed",
        "task.cancelled",
        "task.expired",
        "task.progress",
    ]
    task: str
    kind: str
    owner: str
    peer: str | None
    """The peer that has the lease, or that ended the task."""
    fence: int
    """The number of the attempt; 0 before the first one."""
    state: TaskState
    previous: TaskState | None
    """Null for a new task."""
    progress: float | None
    message: str | None
    """The first 256 characters of the peer's progress message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEventView:
    """`PeerEventView` of the API."""

    id: str
    """A position in the log: the `id` of an event.

    In a mesh of several cells it has a number for each, separated by dots.
    """
    at: str
    """When the change was committed; RFC 3339, UTC."""
    type: Literal[
        "peer.discovered",
        "peer.active",
        "peer.suspect",
        "peer.stale",
        "peer.evicted",
        "peer.revoked",
        "peer.scheduling",
    ]
    peer: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    name: str
    state: PeerState
    previous: PeerState | None
    """Null for a new peer."""
    scheduling: Scheduling
    leaving: bool
    """Whether the peer drains itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionEventView:
    """`AdmissionEventView` of the API."""

    id: str
    """A position in the log: the `id` of an event.

    In a mesh of several cells it has a number for each, separated by dots.
    """
    at: str
    """When the change was committed; RFC 3339, UTC."""
    type: Literal[
        "peer.removed",
        "allowlist.added",
        "allowlist.removed",
        "denylist.added",
        "denylist.removed",
    ]
    peer: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitEventView:
    """`CircuitEventView` of the API."""

    id: str
    """A position in the log: the `id` of an event.

    In a mesh of several cells it has a number for each, separated by dots.
    """
    at: str
    """When the change was committed; RFC 3339, UTC."""
    type: Literal["circuit.opened", "circuit.closed"]
    peer: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    kind: str | None
    """Null for the circuit of the whole peer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEventView:
    """`EventView.4` of the API."""

    id: str
    """A position in the log: the `id` of an event.

    In a mesh of several cells it has a number for each, separated by dots.
    """
    at: str
    """When the change was committed; RFC 3339, UTC."""
    type: Literal["alert.firing", "alert.resolved"]
    alert: Literal[
        "peer_down",
        "mass_failure",
        "circuit_open",
        "storage",
        "queue_old",
        "queue_long",
        "cell_down",
        "cell_messages",
    ]
    """The type of the alert."""
    key: str
    """The type and the subject: the same subject has the same key each time."""
    peer: str | None
    """The peer that it is about; null for none."""
    kind: str | None
    """The kind that it is about; null for none."""
    cell: int | None = None
    """The cell that it is about; absent for none."""
    since: str
    """Since when something is wrong; RFC 3339, UTC."""
    value: float
    """What was measured when it fired: seconds, peers, tasks, or a share of 1."""
    threshold: float
    """The setting that it is compared with."""
    message: str
    """What is wrong, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventGap:
    """`EventGap` of the API."""

    reason: Literal["overwritten", "unknown_position", "other_mesh"]
    after: str
    """The position that was asked for."""
    until: str
    """Every later event follows; read the states anew, because those between may be missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEnd:
    """`StreamEnd` of the API."""

    code: str
    detail: str


EventView: TypeAlias = (
    TaskEventView | PeerEventView | AdmissionEventView | CircuitEventView | AlertEventView
)
