"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from muster._answers.names import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochKeys:
    """`EpochKeys` of the API."""

    epoch: int
    private_key: str = field(repr=False)
    """X25519: opens the blobs of this epoch."""
    pointer_secret: str = field(repr=False)
    """HMAC-SHA256 of a peer's ID under it, cut to 16 bytes, is its pointer's ID."""
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryKeys:
    """`DiscoveryKeys` of the API."""

    signing_key: str
    """The mesh's Ed25519 key, which signs pointers."""
    epochs: tuple[EpochKeys, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerView:
    """`PointerView` of the API."""

    id: str
    epoch: int
    seq: int
    blob_id: str
    metadata: Mapping[str, Any]
    """What the operator makes public about the peer; empty unless configured."""
    expires_at: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedPointer:
    """`RemovedPointer` of the API."""

    id: str
    epoch: int
    seq: int
    signature: str | None
    """Null: the pointer is still published, but no longer matches the query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """`Checkpoint` of the API."""

    seq: int
    epochs: tuple[int, ...]
    issued_at: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEpoch:
    """`ListedTotals.epochs` of the API."""

    epoch: int
    listed: int
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTotals:
    """`ListedTotals` of the API."""

    seq: int
    issued_at: str
    epochs: tuple[ListedEpoch, ...]
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PointerList:
    """`PointerList` of the API."""

    pointers: tuple[PointerView, ...]
    removed: tuple[RemovedPointer, ...]
    since: str
    """Send this as `since` to list later changes."""
    next_cursor: str | None
    """Null on the last page."""
    checkpoint: Checkpoint
    totals: ListedTotals | None = None
    """How many pointers are listed in all, at the checkpoint's sequence number and time; an older
    mesh does not say it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRecord:
    """`PeerRecord` of the API."""

    id: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    name: str
    """The peer's name.

    A go-p2p node may have any: what is not readable in it is escaped, and a long one ends in `…`.
    """
    public_key: str
    """X25519 public key, in hex."""
    address: str
    """The address from which the peer last connected, or on which it listens by another peer's
    advert; empty if unknown.
    """
    role: Literal["controller", "worker", "dual"]
    added_at: str
    """RFC 3339, UTC."""
    last_seen: str | None
    """RFC 3339, UTC."""
    ping_ms: float | None
    """Smoothed round-trip time in milliseconds."""
    hops: float | None
    geo_km: float | None
    """Great-circle distance to the mesh in kilometers."""
    score: float
    """0.0 worst to 1.0 best."""
    connected: bool
    capabilities: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("*",)
    region: Region | None = None
    """Western and eastern North America, South America, western and eastern Europe, Asia-Pacific,
    Oceania, Africa, Middle East.
    """
