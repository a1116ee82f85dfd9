"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from muster._answers.names import TaskState
from muster._answers.tasks import Backoff, Concurrency, Requirements


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackTask:
    """`TaskEvent.data` of the API."""

    id: str
    kind: str
    payload_dropped: bool = False
    """Whether the payload was dropped some time after the task's end: it is null, and the task
    can't be retried.
    """
    state: TaskState
    source: str | None = None
    """`api`, `peer` (over its session), or `webhook:` and the name of the source."""
    owner: str | None = None
    """Who submitted the task: the ID of a token or a peer, or `admin` (also for webhooks); null:
    the mesh has an older version.
    """
    traceparent: str | None = None
    """The trace that the submission belongs to (W3C Trace Context), in the form of version 00."""
    tracestate: str | None = None
    requirements: Requirements | None = None
    priority: int | None = None
    concurrency: Concurrency | None = None
    created_at: str | None = None
    """RFC 3339, UTC."""
    not_before: str | None = None
    """The task is not offered before this time: as requested, or because of the pause between
    attempts.
    """
    deadline_at: str | None = None
    """RFC 3339, UTC."""
    ended_at: str | None
    """RFC 3339, UTC."""
    max_attempts: int | None = None
    retries: int = 0
    """How often the task was put back into the queue after its end."""
    attempts_used: int = 0
    """Attempts that failed or timed out."""
    max_interruptions: int = 20
    interruptions: int = 0
    """Begun attempts that were lost with their peers, or abandoned by them."""
    attempt_timeout_seconds: float = 3600
    backoff: Backoff | None = None
    lease_seconds: float | None = None
    peer_id: str | None = None
    """The peer that has the lease, or that ended the task."""
    progress: float | None = None
    message: str | None = None
    """The peer's last progress message."""
    result: Any = None
    result_text: str = "null"
    """`result` exactly as it was written."""
    error: str | None
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
class CallbackEvent:
    """The event of a callback: a task has ended."""

    type: Literal["task.succeeded", "task.failed", "task.cancelled", "task.expired"]
    timestamp: str
    """When the task ended."""
    data: CallbackTask
