"""The options of the methods that administer a mesh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, TypedDict

from muster._answers.names import DeliveryOutcome, PeerState, Scope

Role: TypeAlias = Literal["controller", "worker", "dual"]


class OwnerLimitOptions(TypedDict, total=False):
    """What the owner of tasks may have. What is absent keeps its value."""

    weight: int
    """The owner's share of the peers, compared with the weights of other owners, 1 to 100. Default 1."""
    max_waiting: int | None
    """Tasks in the queue; None: a quarter of the queue."""
    max_running: int | None
    """Tasks that peers have at once; None: no limit."""
    max_priority: int | None
    """The highest priority that its tasks may have; None: no limit."""
    max_bytes: int | None
    """Bytes of its tasks that have not ended; None: an eighth of the mesh's database."""


class AllowOptions(OwnerLimitOptions, total=False):
    """The options of `allowlist.put`."""

    label: str
    """A label for people."""
    roles: Sequence[Role]
    """Roles that the peer may have; default: `worker` only."""
    readmit: bool
    """Lifts a revocation of this key. Without it, adding a revoked key is refused."""
    go_p2p: bool
    """Lets the key connect by go-p2p although it has connected by muster.2 before."""


class DenyFilter(TypedDict, total=False):
    """Which keys `denylist.list` has."""

    reason: Literal["revoked", "rotated"]


class TokenFilter(TypedDict, total=False):
    """Which tokens a list shows."""

    scope: Scope
    label: str
    """A part of the label, in any case."""
    state: Literal["active", "expired", "revoked"]


class CreateTokenOptions(OwnerLimitOptions, total=False):
    """The options of `tokens.create`."""

    expires_seconds: float
    """After this time the token grants nothing; default: it does not expire."""


class RevokeOptions(TypedDict, total=False):
    """What a revocation leaves."""

    keep_tasks: bool
    """Leaves the tasks that the owner caused, and their callbacks. Default False: they are cancelled, also those that peers run."""


class JoinKeyOptions(TypedDict, total=False):
    """The options of `join_keys.create`."""

    label: str
    """A label for people."""
    roles: Sequence[Role]
    """Roles that the added peers may have; default: `worker` only."""
    uses: int
    """How many peers the key can add; default 1."""
    expires_seconds: float
    """The lifetime of the key; default: the mesh's."""


class AuditFilter(TypedDict, total=False):
    """Which entries `audit.list` has."""

    subject: str
    """The ID that was acted on."""
    act: str
    """The name of the action."""


class PeerFilter(TypedDict, total=False):
    """Which peers a list has."""

    state: PeerState
    role: Role


class DrainOptions(TypedDict, total=False):
    """The options of `peers.drain`."""

    timeout_seconds: float
    """How long the running tasks may take; default 600. After that they are released as abandoned."""


class ScheduleOptions(DrainOptions, total=False):
    """The options of `peers.schedule`."""

    dry_run: bool
    """Only return the peers concerned."""


class PeerSelection(TypedDict, total=False):
    """Which peers a command concerns. A peer must meet every condition that is given."""

    ids: Sequence[str]
    capabilities: Sequence[str]
    """Labels that the peer must have, in the form of a task's requirements."""
    kind: str
    """A kind that the peer handles."""
    role: Role
    name: str
    """The peer's whole name."""
    state: PeerState


class RequestOptions(TypedDict, total=False):
    """The options of `peers.request`."""

    timeout: float
    """How long the peer may take to reply, in seconds; default 10, at most 60."""


class DialOptions(TypedDict, total=False):
    """The options of `dials.put`."""

    public_key: str | bytes
    """The public key that the peer at this URL must prove; default: the mesh accepts the first key proved there."""
    name: str
    """A name for people."""


class RateOption(TypedDict, total=False):
    """How many tasks of a kind are offered per second, after a burst (default: 1)."""

    per_second: float
    burst: int


class KindOptions(TypedDict, total=False):
    """The settings of a kind: what is absent is not set."""

    attempt_timeout_seconds: float
    """How long an attempt may take, for tasks that are submitted without a value of their own."""
    concurrency: int
    """Tasks of the kind that peers have at once, in the whole mesh."""
    rate: RateOption


class CallbackOwnerOptions(TypedDict, total=False):
    """Whose secret."""

    owner: str
    """The ID of a token or a peer, `admin`, or `webhook:` and the name of a source; default: the caller. Needs scope admin."""


class RotateCallbackSecretOptions(CallbackOwnerOptions, total=False):
    """The options of `callbacks.rotate_secret`."""

    overlap_seconds: float
    """For how long the secret before signs, too; 0 to 7 days; default: a day."""


class DeliveryFilter(TypedDict, total=False):
    """Which deliveries a list has."""

    outcome: DeliveryOutcome
    page_size: int
    """How many deliveries one request returns; default: 100."""


class ReplayOptions(TypedDict, total=False):
    """The options of `webhooks.replay`."""

    new_task: bool
    """Creates a second task although the delivery has created one. Default False: the answer names the existing task."""
    idempotency_key: str
    """Identifies the replay: a second call with the same key creates no second task. Default: a fresh key for each call."""


class WebhookSource(TypedDict, total=False):
    """A webhook source, as the HTTP API describes it (docs/webhooks.md)."""

    scheme: Literal["standard-webhooks", "github", "stripe", "slack", "hmac"]
    signature: dict[str, Any]
    secret: str
    secrets: Sequence[str]
    task: dict[str, Any]
    filters: Sequence[dict[str, Any]]
    max_bytes: int | None
    max_body_bytes: int | None
    identity: dict[str, Any] | None


class WebhookSample(TypedDict, total=False):
    """A sample for a dry run: an event, a body as it was sent, or a recorded delivery."""

    event: Any
    body: str
    delivery: str
    headers: dict[str, str]


class DrainMeshOptions(TypedDict, total=False):
    """The options of `settings.drain`."""

    pause_seconds: float
    """How long the peers wait before they reconnect, at random times; default 0."""


class MetricsOptions(TypedDict, total=False):
    """The options of `settings.metrics`."""

    format: Literal["prometheus", "openmetrics"]
    """Default: `prometheus`, the text format that `promtool` reads."""
