"""A peer, in the thread of its session: connects the session loop with the tasks, the requests and the key rotation."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx

from muster._base.cut_text import cut_text
from muster._peer import peer_ports as ports
from muster._peer.adverts import advert_payload, rtts_payload
from muster._peer.events import (
    Closed,
    FrameIgnored,
    LoopBlocked,
    MeshRefused,
    PeerEvent,
    Ready,
    Rejected,
    Rotated,
    SampleReceived,
)
from muster._peer.key_rotation import KeyRotation
from muster._peer.limited_messages import LimitedMessages
from muster._peer.message_age import MessageAge
from muster._peer.peer_drain import Drain, PeerDrain
from muster._peer.requests import PeerRequests
from muster._peer.session_loop import SessionLoop
from muster._protocol import inbound_types as inbound
from muster._protocol.constants import ACCEPT_TIMEOUT, REASON_CHARS_MAX
from muster._protocol.inbound import read_inbound
from muster._protocol.reading import BadMessage
from muster._work.task_runner import TaskRunner
from muster._work.upload import Lost, Upload, UploadFailed, upload_result
from muster.errors import MusterError, PeerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from muster._connection.profile import PeerProfile
    from muster._crypto.identity import KeyPair
    from muster._crypto.result_tickets import ResultContent
    from muster._handlers.executor import HandlerExecutor
    from muster._peer.adverts import KnownPeer, MeasuredRtt
    from muster._peer.destination import Destination
    from muster._protocol.envelope import Envelope
    from muster._protocol.inbound_types import JoinedMesh

LOOP_CHECK_INTERVAL = 1.0
LOOP_BLOCKED_MIN = 5.0
"""For how long the session's thread must have been kept from running to be reported."""


class MeshPeer:
    """Everything here runs in the session's loop. `emit` takes events from it."""

    def __init__(
        self,
        destination: Destination,
        profile: PeerProfile,
        handlers: HandlerExecutor,
        emit: Callable[[PeerEvent], None],
        remember: Callable[[JoinedMesh], None] | None,
    ) -> None:
        self.destination = destination
        self._profile = profile
        self.handlers = handlers
        self.emit = emit
        self._remember = remember
        self.loop = asyncio.get_running_loop()
        self._client: httpx.AsyncClient | None = None
        self._leaving: asyncio.Future[None] | None = None
        self.discovery_keys: dict[str, Any] | None = None
        self.ready: asyncio.Future[JoinedMesh] = self.loop.create_future()
        self.closed: asyncio.Future[None] = self.loop.create_future()
        self._age = MessageAge()
        self.runner = TaskRunner(ports.RunnerPorts(self), profile.slots, prefetch=profile.prefetch)
        self._requests = PeerRequests(ports.RequestPorts(self))
        self._rotation = KeyRotation()
        self._session = SessionLoop(destination, ports.LoopOwner(self))
        self._limited = LimitedMessages(lambda: self._session.active_connection)
        self.draining = PeerDrain(ports.DrainPorts(self))
        self._checked_at = time.monotonic()
        self._check = self.loop.call_later(LOOP_CHECK_INTERVAL, self._check_loop)
        self._session.start()

    @property
    def profile(self) -> PeerProfile:
        """What the peer tells of itself."""
        return self._profile

    @property
    def session(self) -> SessionLoop:
        """The connection to the mesh."""
        return self._session

    async def wait_ready(self) -> JoinedMesh:
        """Return once the mesh has welcomed the peer."""
        return await asyncio.shield(self.ready)

    async def wait_closed(self) -> None:
        """Return once the peer has ended."""
        await asyncio.shield(self.closed)

    async def drain(self, timeout: float, reason: str) -> None:
        """Leave the mesh without losing work."""
        drain = Drain("peer", cut_text(reason, REASON_CHARS_MAX), timeout)
        await asyncio.shield(self.draining.begin(drain))

    async def close(self, reason: str) -> None:
        """Leave the mesh at once. What a leaving peer gives up is no fault of it."""
        reason = cut_text(reason, REASON_CHARS_MAX)
        connection = self._session.active_connection
        if connection is not None and self.runner.held_tasks():
            connection.send("drain", {"reason": reason, "timeout_seconds": 0})
        self.runner.abandon(reason)
        await self._session.close(reason)
        if self._client is not None:
            await self._client.aclose()

    def leave(self, reason: str) -> None:
        """Close the peer soon."""
        if self._leaving is None:
            self._leaving = asyncio.ensure_future(self.close(reason))

    async def rotate(self, keys: KeyPair) -> KeyPair:
        """Replace the peer's key."""
        connection = self._session.active_connection
        mesh_key = self._session.mesh_key or ""
        return await self._rotation.rotate(connection, self._profile.keys, keys, mesh_key)

    def advertise(self, peers: Sequence[KnownPeer]) -> bool:
        """Inform the mesh of other peers."""
        return self._limited.send("advert", advert_payload(peers))

    def report_rtts(self, rtts: Sequence[MeasuredRtt]) -> bool:
        """Report round-trip times to other peers."""
        return self._limited.send("rtts", rtts_payload(rtts))

    def announce(self, changes: Mapping[str, Any]) -> None:
        """Change what the peer tells of itself. The changes are valid."""
        self._profile = replace(self._profile, **changes)
        self.runner.set_capacity(self._profile.slots, prefetch=self._profile.prefetch)
        self._limited.announce(changes)

    async def upload(self, upload: Upload) -> ResultContent | Lost | UploadFailed | None:
        """Upload a large result."""
        if self._client is None:
            # Reading the certificates takes a while.
            self._client = await asyncio.to_thread(httpx.AsyncClient, follow_redirects=False)
        return await upload_result(self._client, self.destination.url, upload)

    def received(self, envelope: Envelope) -> None:
        """Handle a message. An offer that was held back on its way is ignored: the mesh has given it up by now."""
        delay = self._age.arrived(envelope.ts)
        try:
            message = read_inbound(envelope.type, envelope.payload)
        except BadMessage as error:
            self.emit(FrameIgnored(f"invalid {envelope.type}: {error}"))
            return
        if message is None:
            self.emit(FrameIgnored(f"no handler for messages of type {envelope.type}"))
        elif isinstance(message, inbound.TaskOffer) and delay >= ACCEPT_TIMEOUT:
            self.emit(FrameIgnored("an offer that is no longer valid"))
        else:
            self._handle(message, envelope)

    def _handle(self, message: inbound.Inbound, envelope: Envelope) -> None:  # noqa: C901, PLR0912 - one case each
        if isinstance(message, inbound.TaskOffer):
            self.runner.offer(message)
        elif isinstance(message, inbound.Pong):
            if not self.runner.pong_received(envelope.reply_to):
                self.emit(FrameIgnored("a pong that answers no ping"))
        elif isinstance(message, inbound.Ping):
            self._pong(message, envelope.id)
        elif isinstance(message, inbound.TaskCancel):
            self.runner.cancel(message)
        elif isinstance(message, inbound.TaskReturn):
            self.runner.give_back(message)
        elif isinstance(message, inbound.Welcome):
            self._welcomed(message)
        elif isinstance(message, inbound.Rejection):
            self._rejected(message)
        elif isinstance(message, inbound.DrainOrder):
            self.draining.begin(Drain("mesh", message.reason, message.timeout_seconds))
        elif isinstance(message, inbound.MeshErrorMessage):
            self._refused(message, envelope.reply_to)
        elif isinstance(message, inbound.Disconnect):
            self._session.disconnecting(message.reconnect, message.reason)
        elif isinstance(message, inbound.Sample):
            self.emit(SampleReceived(message.pointers))
        elif isinstance(message, inbound.PeerRequest):
            connection = self._session.connection
            if connection is not None:
                self._requests.answer(message, envelope.id, connection)
        else:
            self.emit(FrameIgnored("a task that this peer did not ask for"))

    def _pong(self, ping: inbound.Ping, ping_id: str) -> None:
        connection = self._session.connection
        if connection is not None:
            pong = {"sentAt": ping.sent_at, "receivedAt": int(time.time() * 1_000)}
            connection.send("pong", pong, ping_id)

    def _welcomed(self, welcome: inbound.Welcome) -> None:
        mesh = welcome.mesh
        if not self._remembers(mesh):
            return
        connection = self._session.welcomed(welcome.reconnect, mesh.next_public_key)
        if connection is None:
            return
        self.discovery_keys = welcome.discovery
        self.draining.welcomed()
        self.runner.attach(connection)
        if not self.ready.done():
            self.ready.set_result(mesh)
        self.emit(Ready(welcome.peer_id, welcome.epoch, welcome.role, mesh))
        if self._rotation.welcomed(welcome.peer_id):
            self.emit(Rotated(welcome.peer_id))

    def _remembers(self, mesh: JoinedMesh) -> bool:
        """A peer that can't remember which mesh it trusts does not stay with it."""
        try:
            if self._remember is not None:
                self._remember(mesh)
        except MusterError as error:
            self._session.end(PeerError("mesh_key_mismatch", str(error)))
            return False
        except OSError as error:
            text = f"the key of the mesh could not be stored: {error}"
            self._session.end(PeerError("closed", text))
            return False
        return True

    def _rejected(self, rejection: inbound.Rejection) -> None:
        if rejection.retry_after is not None:
            self._session.rejected(rejection.retry_after)
        if rejection.code != "key_in_use":
            self.emit(Rejected(rejection.code, rejection.reason))

    def _refused(self, error: inbound.MeshErrorMessage, reply_to: str | None) -> None:
        if self.runner.error_received(error, reply_to):
            return
        self._rotation.error_received(error.code, error.message, reply_to)
        self.emit(MeshRefused(error.details, error.message))

    def adopt_rotated_key(self, error: PeerError) -> bool:
        """The mesh has barred the old key in favor of the new one: from now on the peer dials with the new one."""
        keys = self._rotation.keys_after_refusal(error, self._profile.keys)
        if keys is None:
            return False
        self._profile = replace(self._profile, keys=keys)
        return True

    def ended(self, error: PeerError | None) -> None:
        """The session loop has ended."""
        reason = "the peer closes" if error is None else str(error)
        self.draining.stop()
        self.runner.stop(reason)
        self._check.cancel()
        self._requests.stop(reason)
        self.handlers.stop()
        self._rotation.stop(reason)
        if not self.ready.done():
            text = "the peer was closed before it joined"
            self.ready.set_exception(error or PeerError("closed", text))
            self.ready.exception()  # a program that does not wait for it must not be warned of it
        if error is None:
            self.closed.set_result(None)
        else:
            self.closed.set_exception(error)
            self.closed.exception()
        self.emit(Closed(error))

    def _check_loop(self) -> None:
        """Nothing can be reported while the thread does not run, so the report comes afterwards."""
        late = time.monotonic() - self._checked_at - LOOP_CHECK_INTERVAL
        self._checked_at = time.monotonic()
        self._check = self.loop.call_later(LOOP_CHECK_INTERVAL, self._check_loop)
        if late >= LOOP_BLOCKED_MIN:
            self.emit(LoopBlocked(round(late, 3)))
