"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from muster._answers.names import PeerState, Protocol, Scheduling


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """`PeerView.circuits` of the API."""

    kind: str | None
    """Null: the peer as a whole."""
    state: Literal["open", "half_open"]
    """`open`: the peer rests; `half_open`: one task at a time probes it."""
    reason: str
    rests_until: str
    """RFC 3339, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerToldBy:
    """`PeerView.told_by` of the API."""

    peer_id: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    ping_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerView:
    """A peer as the mesh knows it."""

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
    confidence: float
    """The share of the score's weight that is based on measurements."""
    connected: bool
    state: PeerState
    scheduling: Scheduling = "open"
    """Whether the peer gets new tasks; `draining`: it finishes what it runs and leaves."""
    scheduled_by: Literal["operator", "peer"] | None = None
    """Who cordoned or drains the peer."""
    protocol: Protocol | None
    go_p2p_generation: Literal[1, 2] | None = None
    """Which generation of go-p2p the peer speaks, or spoke in its last session: both call
    themselves version 1.0; null over muster/2.
    """
    capabilities: tuple[str, ...]
    kinds: tuple[str, ...] = ("*",)
    """The kinds of task that the peer handles; `*` stands for every kind."""
    slots: int
    tasks: int
    """Attempts that the peer has a lease for now."""
    successes: int
    failures: int
    circuits: tuple[Circuit, ...] | None = None
    """The peer's circuits that are not closed: while one is open, the peer rests."""
    told_by: PeerToldBy | None = None
    """The peer that advertised this one, and the RTT that it reports; only for peers that are known
    by an advert only.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerList:
    """`PeerList` of the API."""

    peers: tuple[PeerView, ...]
    next_cursor: str | None
    """Null on the last page."""
    missing_cells: tuple[int, ...] | None = None
    """The cells of the mesh that did not answer.

    What they have is not in this answer. Absent when every cell has answered.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedPeer:
    """`RevokedPeer` of the API."""

    id: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    name: str
    """The peer's name.

    A go-p2p node may have any: what is not readable in it is escaped, and a long one ends in `…`.
    """
    public_key: str | None
    """Null: the key was revoked by its ID, and the mesh never saw it."""
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
    confidence: float
    """The share of the score's weight that is based on measurements."""
    connected: bool
    state: PeerState
    scheduling: Scheduling = "open"
    """Whether the peer gets new tasks; `draining`: it finishes what it runs and leaves."""
    scheduled_by: Literal["operator", "peer"] | None = None
    """Who cordoned or drains the peer."""
    protocol: Protocol | None
    go_p2p_generation: Literal[1, 2] | None = None
    """Which generation of go-p2p the peer speaks, or spoke in its last session: both call
    themselves version 1.0; null over muster/2.
    """
    capabilities: tuple[str, ...]
    kinds: tuple[str, ...] = ("*",)
    """The kinds of task that the peer handles; `*` stands for every kind."""
    slots: int
    tasks: int
    """Attempts that the peer has a lease for now."""
    successes: int
    failures: int
    circuits: tuple[Circuit, ...] | None = None
    """The peer's circuits that are not closed: while one is open, the peer rests."""
    told_by: PeerToldBy | None = None
    """The peer that advertised this one, and the RTT that it reports; only for peers that are known
    by an advert only.
    """
    known: bool = True
    """False: the mesh has no record of this key; the key is refused whenever it comes."""
    rotated_from: str | None = None
    """The ID that the request names, if its peer has rotated to another key: that key is revoked,
    and its ID is `id`.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRttView:
    """`PairRttView` of the API."""

    peer_id: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    other_id: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    rtt_ms: float | None
    """The estimated round-trip time between the two peers in milliseconds; null if nothing is
    known.
    """
    error_ms: float | None
    """The expected error of the estimate."""
    basis: Literal["observed", "coordinates"] | None
    """`observed`: a measurement of the last hour; `coordinates`: the peers' network coordinates
    (Vivaldi).
    """
    observed: bool
    """Whether one of the two has ever measured it."""
    observed_ms: float | None
    """The median of the last samples."""
    observed_at: str | None
    """RFC 3339, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerAnswer:
    """`PeerReply` of the API."""

    type: str
    """The reply's type; `error` if the peer refused the request."""
    payload: Any = None
    payload_text: str = "null"
    """`payload` exactly as it was written."""
