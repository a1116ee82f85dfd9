"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from muster._answers.callbacks import CallbackView
from muster._answers.mesh import ProblemView
from muster._answers.names import TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class NearPlace:
    """`Requirements.near.0` of the API."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NearPeer:
    """`Requirements.near.1` of the API."""

    peer_id: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """`Requirements` of the API."""

    capabilities: tuple[str, ...] = ()
    """The peer must have all of these labels:

    `gpu` (with or without a value), `arch=arm64`, `memory_gib>=16` (also <=, >, <).
    """
    peer_id: str | None = None
    """Only this peer may run the task."""
    avoid: tuple[str, ...] | None = None
    """These peers may not run the task."""
    role: Literal["worker", "dual"] | None = None
    """Only peers of this role may run the task."""
    min_score: float | None = None
    near: NearPlace | NearPeer | None = None
    """Among the best peers, prefer those near this location, or near this peer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """`Concurrency` of the API."""

    key: str
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """`Backoff` of the API."""

    first_seconds: float = 0.5
    max_seconds: float = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """`AttemptView` of the API."""

    attempt: int
    peer_id: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    peer_name: str
    score: float
    """The peer's score at the time of the choice."""
    state: Literal[
        "offered",
        "prefetched",
        "running",
        "succeeded",
        "failed",
        "timed_out",
        "refused",
        "unanswered",
        "lost",
        "abandoned",
        "reclaimed",
        "cancelled",
    ]
    """`failed` and `timed_out` count against `max_attempts`; `lost` (with the peer) and `abandoned`
    (by the peer) against `max_interruptions`; `refused`, `unanswered` and `reclaimed` were never
    begun.
    """
    started_at: str
    """RFC 3339, UTC."""
    ended_at: str | None
    """RFC 3339, UTC."""
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as the mesh shows it.

    `result` is None until the task has succeeded, and while the result must be fetched
    (`result_url`).
    """

    id: str
    kind: str
    payload: Any = None
    payload_text: str = "null"
    """`payload` exactly as it was written."""
    payload_dropped: bool = False
    """Whether the payload was dropped some time after the task's end: it is null, and the task
    can't be retried.
    """
    state: TaskState
    source: str
    """`api`, `peer` (over its session), or `webhook:` and the name of the source."""
    owner: str | None = None
    """Who submitted the task: the ID of a token or a peer, or `admin` (also for webhooks); null:
    the mesh has an older version.
    """
    traceparent: str | None = None
    """The trace that the submission belongs to (W3C Trace Context), in the form of version 00."""
    tracestate: str | None = None
    requirements: Requirements
    priority: int
    concurrency: Concurrency | None = None
    created_at: str
    """RFC 3339, UTC."""
    not_before: str
    """The task is not offered before this time: as requested, or because of the pause between
    attempts.
    """
    deadline_at: str
    """RFC 3339, UTC."""
    ended_at: str | None
    """RFC 3339, UTC."""
    max_attempts: int
    retries: int = 0
    """How often the task was put back into the queue after its end."""
    attempts_used: int = 0
    """Attempts that failed or timed out."""
    max_interruptions: int = 20
    interruptions: int = 0
    """Begun attempts that were lost with their peers, or abandoned by them."""
    attempt_timeout_seconds: float = 3600
    backoff: Backoff
    lease_seconds: float
    peer_id: str | None
    """The peer that has the lease, or that ended the task."""
    progress: float | None
    message: str | None
    """The peer's last progress message."""
    result: Any = None
    result_text: str = "null"
    """`result` exactly as it was written."""
    error: str | None
    attempts: tuple[AttemptView, ...]
    callback: CallbackView | None = None
    result_sealed: bool = False
    """Whether `result` is an STMF container in base64, which the caller's key opens."""
    result_bytes: int | None = None
    """The size of a result that is too large for this response."""
    result_url: str | None = None
    """The path of such a result, relative to the mesh's URL."""
    result_sha256: str | None = None
    """SHA-256 of such a result's bytes, in base64."""
    result_signature: str | None = None
    """The mesh's Ed25519 signature (hex) of such a result: task, fence, digest, size, whether it is
    sealed.

    See docs/tasks.md.
    """
    result_fence: int | None = None
    """The fencing number of the attempt that made such a result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSummary:
    """A task in a list, without its large fields and lists."""

    id: str
    kind: str
    payload_dropped: bool = False
    """Whether the payload was dropped some time after the task's end: it is null, and the task
    can't be retried.
    """
    state: TaskState
    source: str
    """`api`, `peer` (over its session), or `webhook:` and the name of the source."""
    owner: str | None = None
    """Who submitted the task: the ID of a token or a peer, or `admin` (also for webhooks); null:
    the mesh has an older version.
    """
    traceparent: str | None = None
    """The trace that the submission belongs to (W3C Trace Context), in the form of version 00."""
    requirements: Requirements
    priority: int
    concurrency: Concurrency | None = None
    created_at: str
    """RFC 3339, UTC."""
    not_before: str
    """The task is not offered before this time: as requested, or because of the pause between
    attempts.
    """
    deadline_at: str
    """RFC 3339, UTC."""
    ended_at: str | None
    """RFC 3339, UTC."""
    max_attempts: int
    retries: int = 0
    """How often the task was put back into the queue after its end."""
    attempts_used: int = 0
    """Attempts that failed or timed out."""
    max_interruptions: int = 20
    interruptions: int = 0
    """Begun attempts that were lost with their peers, or abandoned by them."""
    attempt_timeout_seconds: float = 3600
    backoff: Backoff
    lease_seconds: float
    peer_id: str | None
    """The peer that has the lease, or that ended the task."""
    progress: float | None
    message: str | None
    """The peer's last progress message."""
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskList:
    """`TaskList` of the API."""

    tasks: tuple[TaskSummary, ...]
    next_cursor: str | None
    """Null on the last page."""
    missing_cells: tuple[int, ...] | None = None
    """The cells of the mesh that did not answer.

    What they have is not in this answer. Absent when every cell has answered.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedTask:
    """`BatchView.results.0` of the API."""

    task: TaskSummary
    duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedTask:
    """`BatchView.results.1` of the API."""

    error: ProblemView
    """RFC 9457."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """`BatchView` of the API."""

    results: tuple[SubmittedTask | RefusedTask, ...]
