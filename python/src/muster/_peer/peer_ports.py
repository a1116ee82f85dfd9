"""What the parts of a peer ask of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from muster._base.redact import redact_url
from muster._peer.events import (
    Connecting,
    Disconnected,
    FrameIgnored,
    KeyInUseElsewhere,
    PeerEvent,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muster._connection.profile import HeldTask, PeerProfile
    from muster._crypto.result_tickets import ResultContent
    from muster._handlers.execution import Call, Execution
    from muster._peer.mesh_peer import MeshPeer
    from muster._protocol.envelope import Envelope
    from muster._protocol.inbound_types import TaskOffer
    from muster._work.upload import Lost, Upload, UploadFailed
    from muster.errors import PeerError


class LoopOwner:
    """What the session loop asks of the peer."""

    def __init__(self, peer: MeshPeer) -> None:
        self._peer = peer

    def profile(self) -> PeerProfile:
        """While the peer drains, the mesh must not offer anything between its welcome and the announcement."""
        profile = self._peer.profile
        return replace(profile, slots=0) if self._peer.draining.is_under_way else profile

    def held_tasks(self) -> tuple[HeldTask, ...]:
        return self._peer.runner.held_tasks()

    def connecting(self, failures: int) -> None:
        self._peer.emit(Connecting(redact_url(self._peer.destination.url), failures))

    def message(self, envelope: Envelope) -> None:
        self._peer.received(envelope)

    def frame_ignored(self, reason: str) -> None:
        self._peer.emit(FrameIgnored(reason))

    def detached(self) -> None:
        self._peer.runner.detach()

    def recover(self, error: PeerError) -> bool:
        return self._peer.adopt_rotated_key(error)

    def disconnected(self, event: Disconnected) -> None:
        self._peer.emit(event)

    def key_in_use(self, reason: str, retry_in: float) -> None:
        self._peer.emit(KeyInUseElsewhere(reason, retry_in))

    def closed(self, error: PeerError | None) -> None:
        self._peer.ended(error)


class RunnerPorts:
    """What the task runner asks of the peer."""

    def __init__(self, peer: MeshPeer) -> None:
        self._peer = peer

    def has(self, kind: str) -> bool:
        return self._peer.handlers.key_of(kind) is not None

    def start(self, offer: TaskOffer, call: Call) -> Execution:
        handlers = self._peer.handlers
        if not handlers.can_run:
            self._peer.leave("the event loop of the program has ended")
        return handlers.start(offer, call, self._peer.loop)

    async def upload(self, upload: Upload) -> ResultContent | Lost | UploadFailed | None:
        return await self._peer.upload(upload)

    def emit(self, event: PeerEvent) -> None:
        self._peer.emit(event)


class RequestPorts:
    """What answers to requests ask of the peer."""

    def __init__(self, peer: MeshPeer) -> None:
        self._peer = peer

    def has_own(self, kind: str) -> bool:
        return kind in self._peer.handlers.specs

    def start(self, offer: TaskOffer, call: Call) -> Execution:
        return self._peer.handlers.start(offer, call, self._peer.loop)

    def identity(self) -> tuple[str, str]:
        profile = self._peer.profile
        return profile.keys.id, profile.name


class DrainPorts:
    """What a drain asks of the peer."""

    def __init__(self, peer: MeshPeer) -> None:
        self._peer = peer

    def announce_drain(self, drain: Mapping[str, Any]) -> None:
        connection = self._peer.session.active_connection
        if connection is not None:
            connection.send("drain", drain)

    async def settle(self) -> None:
        await self._peer.runner.drain()

    async def close(self, reason: str) -> None:
        await self._peer.close(reason)

    def emit(self, event: PeerEvent) -> None:
        self._peer.emit(event)
