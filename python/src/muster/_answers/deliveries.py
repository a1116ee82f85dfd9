"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from muster._answers.names import DeliveryOutcome
from muster._answers.tasks import Backoff, Concurrency, Requirements


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """`DeliveryView` of the API."""

    task_id: str | None
    """Null if a filter excluded the event, and for GitHub's ping."""
    duplicate: bool
    """Whether the task was created by an earlier delivery with the same ID."""
    filtered: str | None = None
    """The filter that excluded the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDelivery:
    """`KeptDelivery` of the API."""

    id: str
    received_at: str
    """RFC 3339, UTC."""
    delivery_id: str
    """The sender's ID, if the signature covers it; else the SHA-256 of the body."""
    outcome: DeliveryOutcome
    """`task`: it became a task; `duplicate`: it had become one before; `filtered`: a filter
    excluded it; `unmapped`: the event does not fit the mapping; `refused`: the mesh did not accept
    the task, for example because the queue was full; `ping`:

    GitHub's check of a new webhook.
    """
    task_id: str | None
    detail: str | None
    """Why it did not become a task."""
    bytes: int
    replayable: bool
    """Whether its content is stored."""
    replay_of: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryList:
    """`DeliveryList` of the API."""

    deliveries: tuple[KeptDelivery, ...]
    next_cursor: str | None
    """Null on the last page."""
    missing_cells: tuple[int, ...] | None = None
    """The cells of the mesh that did not answer.

    What they have is not in this answer. Absent when every cell has answered.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedDelivery:
    """`RefusedDelivery` of the API."""

    first_at: str
    """RFC 3339, UTC."""
    last_at: str
    """RFC 3339, UTC."""
    count: int
    id: str
    code: str
    """Why they were refused: the code of the answer."""
    detail: str
    """The same in words, of the newest."""
    status: int
    """The HTTP status of the answer."""
    in_deliveries: bool
    """Whether the list of deliveries has each of them, too: its signature was valid, and the task
    was refused.
    """
    method: str
    """Of the newest, as are the fields below."""
    headers: Mapping[str, str]
    """Values of headers that are known to hold no secret; of any other header the length of its
    value.
    """
    address: str | None
    """Where it came from; null if unknown."""
    bytes: int | None
    """The size of its body by its Content-Length; null if it had none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownSources:
    """`RefusedList.unknown_sources` of the API."""

    first_at: str
    """RFC 3339, UTC."""
    last_at: str
    """RFC 3339, UTC."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedList:
    """`RefusedList` of the API."""

    refused: tuple[RefusedDelivery, ...]
    unknown_sources: UnknownSources | None
    """Deliveries to this mesh under names that no source has; null if there were none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackBody:
    """Receives an event when the task ends, and again until it acknowledges one."""

    url: str
    """An https or http URL with a public address; the mesh does not follow redirects."""
    secret: str | None = None
    """Signs this task's callback; a Standard Webhooks secret (whsec_…).

    Default: that of the caller and the URL's origin, which /v1/callback-secret shows.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedTask:
    """`DryRunView.task` of the API."""

    kind: str
    payload: Any = None
    payload_text: str = "null"
    """`payload` exactly as it was written."""
    requirements: Requirements = field(default_factory=Requirements)
    priority: int = 0
    """A higher priority runs first; one step equals one minute of waiting."""
    concurrency: Concurrency | None = None
    """At most `limit` tasks of this owner with this key are at peers at once; the others wait and
    delay no other task.
    """
    not_before: str | None = None
    """The task is not offered to a peer before this time, at most 30 days ahead."""
    deadline_seconds: float = 3600
    """The task expires if it has not ended this long after `not_before`."""
    backoff: Backoff | None = None
    max_attempts: int = 5
    max_interruptions: int | None = None
    """How many begun attempts may be lost with their peers (broken connection, goodbye, restart)
    before the task fails; default 20.
    """
    attempt_timeout_seconds: float | None = None
    """How long one attempt may take from its beginning, whatever its heartbeats say; default 3,600.
    """
    lease_seconds: float = 60
    """How long a peer may send no heartbeat for the task before another peer gets it."""
    callback: CallbackBody | None = None
    """Receives an event when the task ends, and again until it acknowledges one."""
    seal_to: str | None = None
    """X25519 public key, in hex, to which the result is sealed (STMF); only its owner can read the
    result.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFilter:
    """`WebhookFilter` of the API."""

    header: str | None = None
    """A header of the delivery.

    Most schemes do not sign headers, so its value is not authenticated.
    """
    path: str | None = None
    """The JSON path of a value in the event."""
    equals: str | float | bool | None = None
    one_of: tuple[str | float | bool | None, ...] | None = None
    matches: str | None = None
    """A pattern for the whole text: * matches any characters, ? matches one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunFilter:
    """`DryRunView.filters` of the API."""

    filter: WebhookFilter
    holds: bool
    found: Any = None
    """The value at the filter's place; null if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """`DryRunView` of the API."""

    outcome: Literal["task", "filtered", "unmapped", "ping"]
    reason: str | None
    """Why it would not become a task."""
    task: MappedTask | None
    """The task by the mapping, also if a filter excludes the event."""
    event: Any = None
    """The event in the body."""
    filters: tuple[DryRunFilter, ...]
    signature: Literal["right", "signature_missing", "signature_invalid", "signature_stale"] | None
    """Null if the sample is not a body with headers."""
