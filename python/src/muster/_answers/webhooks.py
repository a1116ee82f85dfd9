"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from muster._answers.deliveries import WebhookFilter
from muster._answers.names import WebhookScheme
from muster._answers.tasks import Requirements


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureHeader:
    """The header with the signature, for `hmac` and `stripe`."""

    header: str
    encoding: Literal["hex", "base64"] = "hex"
    """The encoding of the MAC, for `hmac`."""
    prefix: str = ""
    """The text before the MAC, for `hmac`; for example `sha256=`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedCallback:
    """`FixedCallback` of the API."""

    url: str
    """An https or http URL with a public address; the mesh does not follow redirects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMapping:
    """`EventMapping` of the API."""

    kind: str
    """A task kind, or a JSON path to one in the event."""
    payload: Any = "$"
    """The payload: any JSON; strings that begin with $ are JSON paths into the event."""
    requirements: Requirements = field(default_factory=Requirements)
    priority: int = 0
    """A higher priority runs first; one step equals one minute of waiting."""
    deadline_seconds: float = 3600
    """The task expires if it has not ended this long after `not_before`."""
    max_attempts: int = 5
    lease_seconds: float = 60
    """How long a peer may send no heartbeat for the task before another peer gets it."""
    callback: FixedCallback | None = None
    defaults: Mapping[str, Any] | None = None
    """Values for paths that select nothing, by the text of the path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryIdentity:
    """`DeliveryIdentity` of the API."""

    path: str | None = None
    """The JSON path of an ID in the event: deliveries with the same ID are one task, whatever else
    they contain.
    """
    bucket_seconds: int | None = None
    """Deliveries with the same body are one task within each span of so many seconds (counted from
    1970-01-01T00:00Z), and up to a quarter of it after the first of them.

    In a later span the same body is a new task, also if somebody recorded it and sends it again.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSourceView:
    """`WebhookSourceView` of the API."""

    name: str
    scheme: WebhookScheme
    """How deliveries are signed.

    `standard-webhooks`: Standard Webhooks; `github`: X-Hub-Signature-256; `stripe`: a header with a
    timestamp; `slack`: v0; `hmac`: HMAC-SHA256 of the body in a header.
    """
    signature: SignatureHeader | None = None
    """The header with the signature, for `hmac` and `stripe`."""
    secrets: int = 1
    """The number of secrets."""
    task: EventMapping
    filters: tuple[WebhookFilter, ...] = ()
    created_at: str
    """RFC 3339, UTC."""
    deliveries: int
    """The number of deliveries that became a task."""
    max_bytes: int | None = None
    """Bytes of the owner's tasks that have not ended: their payloads and requirements, and 1,024
    for each; null: an eighth of the database.
    """
    max_body_bytes: int | None = None
    """The largest body that is read.

    Null: what senders of the scheme send, 25 MiB for `github` and 1 MiB for the others.
    """
    identity: DeliveryIdentity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSourceList:
    """`WebhookSourceList` of the API."""

    sources: tuple[WebhookSourceView, ...]
