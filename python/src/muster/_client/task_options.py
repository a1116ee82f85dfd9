"""The options of the methods that concern tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypedDict

from muster._answers.bulk import BulkSkipped
from muster._answers.names import TaskState
from muster._crypto.identity import PrivateKey


class ConcurrencyOption(TypedDict):
    """At most `limit` tasks of this owner with this key are at peers at once."""

    key: str
    limit: int


class CallbackOption(TypedDict, total=False):
    """Receives a signed request when the task has ended, repeated until it answers 2xx."""

    url: str
    secret: str
    """`whsec_` and base64; default: that of the token and the URL's origin."""


class BackoffOption(TypedDict, total=False):
    """The delay before the second attempt; it doubles with each attempt up to the maximum."""

    first_seconds: float
    max_seconds: float


class NearOption(TypedDict, total=False):
    """A place (degrees), or a peer."""

    latitude: float
    longitude: float
    peer_id: str


class TaskOptions(TypedDict, total=False):
    """What a task may say of itself. What is left out has the mesh's default."""

    capabilities: Sequence[str]
    """The peer must have all of these labels."""
    peer_id: str
    """Only this peer may run the task."""
    min_score: float
    """The peer's score must be at least this, 0 to 1."""
    avoid: Sequence[str]
    """IDs of peers that must not run the task."""
    role: Literal["worker", "dual"]
    """Only peers of this role may run the task."""
    near: NearOption
    """Among equally suitable peers, prefer one near this place or near this peer."""
    priority: int
    """-100 to 100; tasks of higher priority are assigned first. Default 0."""
    concurrency: ConcurrencyOption
    """At most `limit` tasks of this owner with this key are at peers at once; the others wait and delay no other task."""
    deadline_seconds: float
    """The task expires if it has not ended after this time, counted from `not_before`."""
    max_attempts: int
    """Attempts allowed in total."""
    lease_seconds: float
    """How long the mesh waits for a sign of life from the peer before it reassigns the task."""
    attempt_timeout_seconds: float
    """How long one attempt may take from its beginning, whatever its heartbeats say. Default 3,600."""
    max_interruptions: int
    """How many begun attempts may be lost with their peers before the task fails. Default 20."""
    callback: CallbackOption
    """Receives a signed request when the task has ended, repeated until it answers 2xx (see `verify_callback`)."""
    not_before: datetime
    """The task is not assigned before this time."""
    backoff: BackoffOption
    """The delay before the second attempt; it doubles with each attempt up to the maximum."""
    seal_to: str | bytes
    """An X25519 public key to which the result is sealed; `tasks.result` opens it with the private key."""


class TraceOptions(TypedDict, total=False):
    """The trace that a task belongs to (W3C Trace Context). One that is not valid is ignored."""

    traceparent: str
    tracestate: str


class SubmitOptions(TaskOptions, TraceOptions, total=False):
    """The options of a submission."""

    idempotency_key: str
    """Identifies the submission: a second call with the same key creates no second task. Default: a fresh key for each call."""


class SubmitAndWaitOptions(SubmitOptions, total=False):
    """The options of `tasks.submit`."""

    wait: float
    """How long the mesh may wait for the task's end before it answers, in seconds, at most 25; default: 0."""


class RunOptions(SubmitOptions, total=False):
    """The options of `tasks.run`."""

    timeout: float
    """Total time to wait, in seconds; default: no limit."""
    outage: float
    """How long the call goes on while the mesh gives no answer, in seconds; see `controller`."""
    private_key: PrivateKey
    """The worker seals the result to the public half of this key; the SDK opens it with the private half."""


class _KindOfTask(TypedDict):
    kind: str


class BatchTask(_KindOfTask, TaskOptions, total=False):
    """A task of a batch: its `kind`, its `payload`, and the options of a task."""

    payload: Any


class BatchOptions(TraceOptions, total=False):
    """The options of a batch."""

    idempotency_key: str


class WaitOptions(TypedDict, total=False):
    """The options of `tasks.wait`."""

    timeout: float
    """Total time to wait, in seconds; default: no limit."""
    outage: float
    """How long the call goes on while the mesh gives no answer, in seconds; see `controller`."""


class FollowOptions(TypedDict, total=False):
    """The options of `tasks.follow`."""

    outage: float
    """How long the iteration goes on while the mesh gives no answer, in seconds; see `controller`."""


class RetryOptions(TypedDict, total=False):
    """The options of `tasks.retry`."""

    max_attempts: int
    """Attempts allowed from now on; default: as many as the task had."""
    deadline_seconds: float
    """The task expires if it has not ended this long after the retry; default: as long as its first deadline."""


class TaskFilter(TypedDict, total=False):
    """Which tasks a list has."""

    state: TaskState
    kind: str
    owner: str
    source: str
    """How they came: `api`, `peer`, or `webhook:` and the name of a source."""
    peer_id: str
    """Tasks that this peer holds, or ended."""
    page_size: int
    """How many tasks one request returns; default: 100."""


class SelectionFilter(TypedDict, total=False):
    """The conditions that a task must meet, all of them, to be cancelled or retried with others."""

    state: TaskState
    kind: str
    source: str
    """`api`, `peer`, or `webhook:` and the name of a source."""
    peer_id: str
    """The peer that has the lease, or that ended the task."""
    owner: str
    """A token's ID, `admin`, or a peer's ID."""
    created_after: datetime
    created_before: datetime
    error_contains: str
    """In upper or lower case."""


class FailuresFilter(TypedDict, total=False):
    """Which unsuccessful tasks `tasks.failures` groups."""

    state: Literal["failed", "expired"]
    kind: str
    owner: str
    ended_after: datetime
    ended_before: datetime


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What an act on many tasks has done."""

    count: int
    """Tasks that were changed, or with `dry_run` would be."""
    task_ids: tuple[str, ...]
    """The first 20 of them."""
    skipped: tuple[BulkSkipped, ...]
    """The named tasks that the act does not concern, and the error code that says why."""


class BulkOptions(TypedDict, total=False):
    """The options of `tasks.cancel_many`."""

    dry_run: bool
    """Change nothing: say what would be done."""
    on_progress: Callable[[BulkOutcome], object]
    """Called after each request, with what was done until then."""


class BulkRetryOptions(BulkOptions, RetryOptions, total=False):
    """The options of `tasks.retry_many`."""
