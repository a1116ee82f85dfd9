"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from muster._answers.names import AuthMode, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerLimits:
    """`OwnerLimits` of the API."""

    weight: int
    """The owner's share of the peers, compared with the weights of other owners."""
    max_waiting: int | None
    """Tasks of the owner in the queue; null: a quarter of the queue."""
    max_running: int | None
    """Tasks of the owner that peers have at once; null: no limit."""
    max_priority: int | None
    """The highest priority that the owner's tasks may have; null: no limit."""
    max_bytes: int | None = None
    """Bytes of the owner's tasks that have not ended: their payloads and requirements, and 1,024
    for each; null: an eighth of the database.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowEntry:
    """`AllowEntry` of the API."""

    public_key: str
    """X25519 public key, in hex."""
    peer_id: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    label: str
    roles: tuple[Literal["controller", "worker", "dual"], ...]
    go_p2p: bool
    added_at: str
    """RFC 3339, UTC."""
    limits: OwnerLimits = field(
        default_factory=lambda: OwnerLimits(
            weight=1, max_waiting=None, max_running=None, max_priority=None
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowList:
    """`AllowList` of the API."""

    mode: AuthMode
    entries: tuple[AllowEntry, ...]
    missing_cells: tuple[int, ...] | None = None
    """The cells of the mesh that did not answer.

    What they have is not in this answer. Absent when every cell has answered.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class DenyEntry:
    """`DenyEntry` of the API."""

    peer_id: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    public_key: str | None
    """Null: the key was revoked by its ID, and the mesh never saw it."""
    reason: Literal["revoked", "rotated"]
    """`revoked` by the operator, or `rotated`: its peer has replaced it by another key; the latter
    cannot be lifted.
    """
    denied_at: str
    """RFC 3339, UTC."""
    denied_by: str | None
    """`admin`, `token:` or `peer:` and an ID; null: an older version did not note it."""
    rotated_to: str | None
    """The ID of the key that replaced a rotated one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DenyList:
    """`DenyList` of the API."""

    entries: tuple[DenyEntry, ...]
    next_cursor: str | None
    """Null on the last page."""
    missing_cells: tuple[int, ...] | None = None
    """The cells of the mesh that did not answer.

    What they have is not in this answer. Absent when every cell has answered.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """`TokenView` of the API."""

    id: str
    label: str
    scope: Scope
    """`admin` may do everything, `controller` submits tasks and reads its own, `viewer` reads
    everything that is not secret, `metrics` reads the metrics and the load of kinds and nothing
    else.
    """
    prefix: str
    """The first characters of the token."""
    created_at: str
    """RFC 3339, UTC."""
    revoked_at: str | None
    """RFC 3339, UTC."""
    expires_at: str | None = None
    """Null: it does not expire."""
    last_used_at: str | None = None
    """The last use, up to 10 minutes too early; null: it was never used."""
    state: Literal["active", "expired", "revoked"] = "active"
    limits: OwnerLimits = field(
        default_factory=lambda: OwnerLimits(
            weight=1, max_waiting=None, max_running=None, max_priority=None
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTokenView:
    """`NewTokenView` of the API."""

    id: str
    label: str
    scope: Scope
    """`admin` may do everything, `controller` submits tasks and reads its own, `viewer` reads
    everything that is not secret, `metrics` reads the metrics and the load of kinds and nothing
    else.
    """
    prefix: str
    """The first characters of the token."""
    created_at: str
    """RFC 3339, UTC."""
    revoked_at: str | None
    """RFC 3339, UTC."""
    expires_at: str | None = None
    """Null: it does not expire."""
    last_used_at: str | None = None
    """The last use, up to 10 minutes too early; null: it was never used."""
    state: Literal["active", "expired", "revoked"] = "active"
    limits: OwnerLimits = field(
        default_factory=lambda: OwnerLimits(
            weight=1, max_waiting=None, max_running=None, max_priority=None
        )
    )
    token: str = field(repr=False)
    """Only this response contains it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenList:
    """`TokenList` of the API."""

    tokens: tuple[TokenView, ...]
    next_cursor: str | None = None
    """Null on the last page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinKeyView:
    """`JoinKeyView` of the API."""

    id: str
    label: str
    roles: tuple[Literal["controller", "worker", "dual"], ...]
    prefix: str
    """The first characters of the key."""
    uses_left: int
    expires_at: str
    """RFC 3339, UTC."""
    created_at: str
    """RFC 3339, UTC."""
    revoked_at: str | None
    """RFC 3339, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinKeyList:
    """`JoinKeyList` of the API."""

    join_keys: tuple[JoinKeyView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJoinKeyView:
    """`NewJoinKeyView` of the API."""

    id: str
    label: str
    roles: tuple[Literal["controller", "worker", "dual"], ...]
    prefix: str
    """The first characters of the key."""
    uses_left: int
    expires_at: str
    """RFC 3339, UTC."""
    created_at: str
    """RFC 3339, UTC."""
    revoked_at: str | None
    """RFC 3339, UTC."""
    key: str = field(repr=False)
    """Only this response contains it."""
    link: str = field(repr=False)
    """Contains the mesh's address, its public key and the join key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """`AuditView` of the API."""

    at: str
    """when it happened, or happened first."""
    last_at: str
    """when it happened last; the same as `at` unless it was repeated."""
    count: int
    """how often it happened: repetitions within an hour are counted in one entry."""
    actor: str
    """`admin`, `token:` or `peer:` and an ID, or `mesh`."""
    act: str
    subject: str
    outcome: str
    """`ok`, or the code of the error."""
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditList:
    """`AuditList` of the API."""

    entries: tuple[AuditView, ...]
    next_cursor: str | None
    """Null on the last page."""
    missing_cells: tuple[int, ...] | None = None
    """The cells of the mesh that did not answer.

    What they have is not in this answer. Absent when every cell has answered.
    """
