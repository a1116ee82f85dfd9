"""What a session loop asks of its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from muster._connection.profile import HeldTask, PeerProfile
    from muster._peer.events import Disconnected
    from muster._protocol.envelope import Envelope
    from muster.errors import PeerError


class SessionLoopOwner(Protocol):
    """What the loop asks of its owner, and reports to it."""

    def profile(self) -> PeerProfile:
        """Return the profile. Read at each dial."""

    def held_tasks(self) -> tuple[HeldTask, ...]:
        """Return the attempts that the peer holds. Read at each dial."""

    def connecting(self, failures: int) -> None:
        """A dial begins, after `failures` failures in a row."""

    def message(self, envelope: Envelope) -> None:
        """A message arrived."""

    def frame_ignored(self, reason: str) -> None:
        """A frame was dropped."""

    def detached(self) -> None:
        """The connection ended. Called before the loop dials again, waits, or closes."""

    def recover(self, error: PeerError) -> bool:
        """The mesh refused the peer. True if the owner has changed the profile, so that dialing again makes sense."""

    def disconnected(self, event: Disconnected) -> None:
        """The loop dials again after a while."""

    def key_in_use(self, reason: str, retry_in: float) -> None:
        """Another process uses this peer's key. The loop dials again after `retry_in` seconds."""

    def closed(self, error: PeerError | None) -> None:
        """The loop has ended: with the mesh's refusal, or None after `close`."""
