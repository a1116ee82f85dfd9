"""A peer, in the thread of its session: connects the session loop with the tasks, the requests and the key rotation."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx

from muster._base.cut_text import cut_text
from muster._base.redact import redact_url
from muster._peer.adverts import advert_payload, rtts_payload
from muster._peer.events import (
    Closed,
    Connecting,
    Disconnected,
    FrameIgnored,
    KeyInUseElsewhere,
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
from muster._protocol import inbound
from muster._protocol.constants import ACCEPT_TIMEOUT, REASON_CHARS_MAX
from muster._protocol.reading import BadMessage
from muster._work.task_runner import TaskRunner
from muster._work.upload import Lost, Upload, UploadFailed, upload_result
from muster.errors import MusterError, PeerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from muster._connection.profile import HeldTask, PeerProfile
    from muster._crypto.identity import KeyPair
    from muster._crypto.result_tickets import ResultContent
    from muster._handlers.execution import Call, Execution
    from muster._handlers.executor import HandlerExecutor
    from muster._peer.adverts import KnownPeer, MeasuredRtt
    from muster._peer.destination import Destination
    from muster._protocol.envelope import Envelope
    from muster._protocol.inbound import JoinedMesh, TaskOffer

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
        self._destination = destination
        self._profile = profile
        self._handlers = handlers
        self._emit = emit
        self._remember = remember
        self._loop = asyncio.get_running_loop()
        self._client: httpx.AsyncClient | None = None
        self._leaving: asyncio.Future[None] | None = None
        self.discovery_keys: dict[str, Any] | None = None
        self.ready: asyncio.Future[JoinedMesh] = self._loop.create_future()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self._age = MessageAge()
        self._runner = TaskRunner(_RunnerPorts(self), profile.slots, prefetch=profile.prefetch)
        self._requests = PeerRequests(_RequestPorts(self))
        self._rotation = KeyRotation()
        self._session = SessionLoop(destination, _LoopOwner(self))
        self._limited = LimitedMessages(lambda: self._session.active_connection)
        self._drain = PeerDrain(_DrainPorts(self))
        self._checked_at = time.monotonic()
        self._check = self._loop.call_later(LOOP_CHECK_INTERVAL, self._check_loop)
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
        await asyncio.shield(self._drain.begin(drain))

    async def close(self, reason: str) -> None:
        """Leave the mesh at once. What a leaving peer gives up is no fault of it."""
        reason = cut_text(reason, REASON_CHARS_MAX)
        connection = self._session.active_connection
        if connection is not None and self._runner.held_tasks():
            connection.send("drain", {"reason": reason, "timeout_seconds": 0})
        self._runner.abandon(reason)
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
        self._runner.set_capacity(self._profile.slots, prefetch=self._profile.prefetch)
        self._limited.announce(changes)

    async def upload(self, upload: Upload) -> ResultContent | Lost | UploadFailed | None:
        """Upload a large result."""
        if self._client is None:
            # Reading the certificates takes a while.
            self._client = await asyncio.to_thread(httpx.AsyncClient, follow_redirects=False)
        return await upload_result(self._client, self._destination.url, upload)

    def received(self, envelope: Envelope) -> None:
        """Handle a message. An offer that was held back on its way is ignored: the mesh has given it up by now."""
        delay = self._age.arrived(envelope.ts)
        try:
            message = inbound.read_inbound(envelope.type, envelope.payload)
        except BadMessage as error:
            self._emit(FrameIgnored(f"invalid {envelope.type}: {error}"))
            return
        if message is None:
            self._emit(FrameIgnored(f"no handler for messages of type {envelope.type}"))
        elif isinstance(message, inbound.TaskOffer) and delay >= ACCEPT_TIMEOUT:
            self._emit(FrameIgnored("an offer that is no longer valid"))
        else:
            self._handle(message, envelope)

    def _handle(self, message: inbound.Inbound, envelope: Envelope) -> None:  # noqa: C901, PLR0912 - one case each
        if isinstance(message, inbound.TaskOffer):
            self._runner.offer(message)
        elif isinstance(message, inbound.Pong):
            if not self._runner.pong_received(envelope.reply_to):
                self._emit(FrameIgnored("a pong that answers no ping"))
        elif isinstance(message, inbound.Ping):
            self._pong(message, envelope.id)
        elif isinstance(message, inbound.TaskCancel):
            self._runner.cancel(message)
        elif isinstance(message, inbound.TaskReturn):
            self._runner.give_back(message)
        elif isinstance(message, inbound.Welcome):
            self._welcomed(message)
        elif isinstance(message, inbound.Rejection):
            self._rejected(message)
        elif isinstance(message, inbound.DrainOrder):
            self._drain.begin(Drain("mesh", message.reason, message.timeout_seconds))
        elif isinstance(message, inbound.MeshErrorMessage):
            self._refused(message, envelope.reply_to)
        elif isinstance(message, inbound.Disconnect):
            self._session.disconnecting(message.reconnect, message.reason)
        elif isinstance(message, inbound.Sample):
            self._emit(SampleReceived(message.pointers))
        elif isinstance(message, inbound.PeerRequest):
            connection = self._session.connection
            if connection is not None:
                self._requests.answer(message, envelope.id, connection)
        else:
            self._emit(FrameIgnored("a task that this peer did not ask for"))

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
        self._drain.welcomed()
        self._runner.attach(connection)
        if not self.ready.done():
            self.ready.set_result(mesh)
        self._emit(Ready(welcome.peer_id, welcome.epoch, welcome.role, mesh))
        if self._rotation.welcomed(welcome.peer_id):
            self._emit(Rotated(welcome.peer_id))

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
            self._emit(Rejected(rejection.code, rejection.reason))

    def _refused(self, error: inbound.MeshErrorMessage, reply_to: str | None) -> None:
        if self._runner.error_received(error, reply_to):
            return
        self._rotation.error_received(error.code, error.message, reply_to)
        self._emit(MeshRefused(error.details, error.message))

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
        self._drain.stop()
        self._runner.stop(reason)
        self._check.cancel()
        self._requests.stop(reason)
        self._handlers.stop()
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
        self._emit(Closed(error))

    def _check_loop(self) -> None:
        """Nothing can be reported while the thread does not run, so the report comes afterwards."""
        late = time.monotonic() - self._checked_at - LOOP_CHECK_INTERVAL
        self._checked_at = time.monotonic()
        self._check = self._loop.call_later(LOOP_CHECK_INTERVAL, self._check_loop)
        if late >= LOOP_BLOCKED_MIN:
            self._emit(LoopBlocked(round(late, 3)))


class _LoopOwner:
    """What the session loop asks of the peer."""

    def __init__(self, peer: MeshPeer) -> None:
        self._peer = peer

    def profile(self) -> PeerProfile:
        """While the peer drains, the mesh must not offer anything between its welcome and the announcement."""
        profile = self._peer.profile
        return replace(profile, slots=0) if self._peer._drain.is_under_way else profile  # noqa: SLF001

    def held_tasks(self) -> tuple[HeldTask, ...]:
        return self._peer._runner.held_tasks()  # noqa: SLF001

    def connecting(self, failures: int) -> None:
        self._peer._emit(Connecting(redact_url(self._peer._destination.url), failures))  # noqa: SLF001

    def message(self, envelope: Envelope) -> None:
        self._peer.received(envelope)

    def frame_ignored(self, reason: str) -> None:
        self._peer._emit(FrameIgnored(reason))  # noqa: SLF001

    def detached(self) -> None:
        self._peer._runner.detach()  # noqa: SLF001

    def recover(self, error: PeerError) -> bool:
        return self._peer.adopt_rotated_key(error)

    def disconnected(self, event: Disconnected) -> None:
        self._peer._emit(event)  # noqa: SLF001

    def key_in_use(self, reason: str, retry_in: float) -> None:
        self._peer._emit(KeyInUseElsewhere(reason, retry_in))  # noqa: SLF001

    def closed(self, error: PeerError | None) -> None:
        self._peer.ended(error)


class _RunnerPorts:
    """What the task runner asks of the peer."""

    def __init__(self, peer: MeshPeer) -> None:
        self._peer = peer

    def has(self, kind: str) -> bool:
        return self._peer._handlers.key_of(kind) is not None  # noqa: SLF001

    def start(self, offer: TaskOffer, call: Call) -> Execution:
        handlers = self._peer._handlers  # noqa: SLF001
        if not handlers.can_run:
            self._peer.leave("the event loop of the program has ended")
        return handlers.start(offer, call, self._peer._loop)  # noqa: SLF001

    async def upload(self, upload: Upload) -> ResultContent | Lost | UploadFailed | None:
        return await self._peer.upload(upload)

    def emit(self, event: PeerEvent) -> None:
        self._peer._emit(event)  # noqa: SLF001


class _RequestPorts:
    """What answers to requests ask of the peer."""

    def __init__(self, peer: MeshPeer) -> None:
        self._peer = peer

    def has_own(self, kind: str) -> bool:
        return kind in self._peer._handlers.specs  # noqa: SLF001

    def start(self, offer: TaskOffer, call: Call) -> Execution:
        return self._peer._handlers.start(offer, call, self._peer._loop)  # noqa: SLF001

    def identity(self) -> tuple[str, str]:
        profile = self._peer.profile
        return profile.keys.id, profile.name


class _DrainPorts:
    """What a drain asks of the peer."""

    def __init__(self, peer: MeshPeer) -> None:
        self._peer = peer

    def announce_drain(self, drain: Mapping[str, Any]) -> None:
        connection = self._peer.session.active_connection
        if connection is not None:
            connection.send("drain", drain)

    async def settle(self) -> None:
        await self._peer._runner.drain()  # noqa: SLF001

    async def close(self, reason: str) -> None:
        await self._peer.close(reason)

    def emit(self, event: PeerEvent) -> None:
        self._peer._emit(event)  # noqa: SLF001
