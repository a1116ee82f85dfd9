"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSkipped:
    """`BulkView.skipped` of the API."""

    id: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkView:
    """`BulkView` of the API."""

    count: int
    """Tasks that were changed, or would be, in this piece."""
    task_ids: tuple[str, ...]
    """The first 20 of them."""
    skipped: tuple[BulkSkipped, ...]
    """The named tasks that the act does not concern, and why:

    `not_found`, `task_ended`, or `conflict` (not ended); and tasks of an owner whose limit is
    reached (`owner_queue_full`, `owner_bytes_full`) or whose payload is not stored any more
    (`payload_dropped`).
    """
    next_cursor: str | None
    """Send the same request with it to continue; null when all is done."""
    missing_cells: tuple[int, ...] | None = None
    """The cells of the mesh that did not answer.

    What they have is not in this answer. Absent when every cell has answered.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingPeer:
    """`FailureGroup.peers` of the API."""

    peer_id: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """`FailuresView.groups` of the API."""

    kind: str
    state: Literal["failed", "expired"]
    reason: str
    """The error, with `<n>`, `<id>` and `<hex>` in place of numbers and IDs."""
    count: int
    first_at: str
    """RFC 3339, UTC."""
    last_at: str
    """RFC 3339, UTC."""
    error: str | None
    """The newest one, in full."""
    task_ids: tuple[str, ...]
    """The newest 5."""
    peers: tuple[FailingPeer, ...]
    """The 5 peers that ended most of these tasks."""
    peer_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailuresView:
    """`FailuresView` of the API."""

    groups: tuple[FailureGroup, ...]
    """At most 100, the largest first."""
    count: int
    """Tasks that match, also those of groups not shown."""
    group_count: int
    complete: bool
    """False when there are more unsuccessful tasks than the newest ones that were read."""
    missing_cells: tuple[int, ...] | None = None
    """The cells of the mesh that did not answer.

    What they have is not in this answer. Absent when every cell has answered.
    """
