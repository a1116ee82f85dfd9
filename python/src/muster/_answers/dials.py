"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from dataclasses import dataclass

from muster._answers.names import DialState


@dataclass(frozen=True, slots=True, kw_only=True)
class DialView:
    """`DialView` of the API."""

    id: str
    url: str
    name: str
    public_key: str | None
    """The only key accepted at this address; null until one is set or proved."""
    peer_id: str | None
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    state: DialState
    """`waiting` until next_at; `queued`: due, but the limit of concurrent dials is reached;
    `dialling`; `connected`: the session that the dial opened is active; `resting`: the peer is
    connected by a session that it opened itself; `barred`: the mesh would refuse its key.
    """
    since: str
    """When it entered this state."""
    next_at: str | None
    """When the mesh dials it next; null if that depends on other events."""
    attempts: int
    failures: int
    """Consecutive failures."""
    last_error: str | None
    added_at: str
    """RFC 3339, UTC."""
    added_by: str
    """`admin`, or `token:` and an ID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialList:
    """`DialList` of the API."""

    dials: tuple[DialView, ...]
