"""What a peer tells the mesh about itself, and what a dial needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from muster._crypto.identity import KeyPair
    from muster._protocol.inbound_types import Role


@dataclass(frozen=True, slots=True)
class PeerProfile:
    """The peer's key, and what it tells the mesh about itself."""

    keys: KeyPair
    name: str
    role: Role
    capabilities: tuple[str, ...]
    kinds: tuple[str, ...]
    """The kinds of task that it handles; `*` stands for every kind."""
    slots: int
    prefetch: bool
    """Whether the peer accepts one task more than it has slots."""


@dataclass(frozen=True, slots=True)
class HeldTask:
    """An attempt that a peer is still working on when it reconnects."""

    task_id: str
    fence: int


@dataclass(frozen=True, slots=True)
class DialOptions:
    """What one dial needs."""

    url: str
    profile: PeerProfile
    mesh_key: str | None
    """The key that the mesh must prove, in hex; None accepts any key."""
    join_key: str | None = field(repr=False)
    """Sent only after the mesh has proved its pinned key."""
    held: tuple[HeldTask, ...]
    """The attempts that the peer still runs."""
    clock_offset: float
    """The mesh's clock minus this machine's, in seconds."""
