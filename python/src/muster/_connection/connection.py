"""One connection by muster.2: a proof in the URL, a Noise XX handshake, then one encrypted message per frame."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, Protocol

from websockets.exceptions import ConnectionClosed

from muster._base.redact import redact
from muster._base.time_limit import TimeLimit
from muster._connection.end import (
    ConnectionEnd,
    Dropped,
)
from muster._connection.end_connection import EndConnection, dropped, end_of, failed, unproved
from muster._connection.hello import hello_bytes
from muster._connection.mesh_key import ConnectFailed, fetch_mesh_key
from muster._connection.open_socket import DIAL_TIMEOUT, open_socket
from muster._connection.outgoing import Outgoing
from muster._connection.send_pacer import SendPacer
from muster._crypto.identity import peer_id_of
from muster._crypto.noise import NoiseError, NoiseHandshake
from muster._crypto.transport import Opener, Sealer
from muster._protocol import close_codes
from muster._protocol.constants import (
    HEARTBEAT_INTERVAL,
    HEARTBEAT_REQUEST,
    HEARTBEAT_RESPONSE,
    HELLO_BYTES_MAX,
    MUSTER_2_PROLOGUE,
)
from muster._protocol.envelope import Envelope, read_envelope, rising_timestamps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from muster._connection.profile import DialOptions
    from muster._connection.web_socket import WebSocket
    from muster._json import JsonText


_KEEPALIVE_JITTER = 0.2
"""Each pause is shortened by a random share of up to this, so that peers that started together spread out."""


class ConnectionListener(Protocol):
    """Receives a connection's events: `authenticated` first, then messages, then `ended` once and nothing more."""

    def authenticated(self, mesh_key: str) -> None:
        """The mesh has proved that it holds the key `mesh_key` (hex)."""

    def activity(self) -> None:
        """A frame arrived, readable or not: the mesh is reachable."""

    def message(self, envelope: Envelope) -> None:
        """A message arrived."""

    def frame_ignored(self, reason: str) -> None:
        """A frame was dropped."""

    def ended(self, end: ConnectionEnd) -> None:
        """The connection is over."""


class Connection:
    """Dials at once. The listener is called when the handshake has succeeded or failed."""

    def __init__(self, options: DialOptions, listener: ConnectionListener) -> None:
        self._options = options
        self._listener = listener
        self._socket: WebSocket | None = None
        self._pacer = SendPacer(self._emit)
        self._sealer: Sealer | None = None
        self._own_id = options.profile.keys.id
        self._mesh_id = ""
        self._timestamp = rising_timestamps()
        self._is_over = False
        self._keepalive: asyncio.TimerHandle | None = None
        self._task = asyncio.create_task(self._run())

    def send(
        self,
        message_type: str,
        payload: Mapping[str, Any] | JsonText,
        reply_to: str | None = None,
        on_sent: Callable[[], None] | None = None,
    ) -> str | None:
        """Send one message, now or as soon as the mesh may receive it.

        Returns its ID; None if the connection can't send any more. `on_sent` is called when the message has been given to the socket,
        possibly before this method returns; never if the connection ends first.
        """
        if self._is_over or self._sealer is None:
            return None
        message = Outgoing(message_type, payload, reply_to, on_sent)
        return message.id if self._pacer.send(message) else None

    def close(self, code: int, reason: str) -> asyncio.Future[None]:
        """Close the connection; the listener is not called any more. The result is there once the socket is closed."""
        self._stop()
        self._task.cancel()
        return self._close_socket(code, reason)

    def _close_socket(self, code: int, reason: str) -> asyncio.Future[None]:
        closing = asyncio.ensure_future(self._closed(code, reason))
        _closings.add(closing)
        closing.add_done_callback(_closings.discard)
        return closing

    async def _closed(self, code: int, reason: str) -> None:
        if self._socket is not None:
            await self._socket.close(code, reason)

    def _stop(self) -> None:
        self._is_over = True
        self._pacer.stop()
        if self._keepalive is not None:
            self._keepalive.cancel()

    async def _run(self) -> None:
        code, reason = close_codes.NORMAL, ""
        try:
            end = await self._session()
        except EndConnection as stop:
            end, code, reason = stop.end, stop.code, stop.reason
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - a connection that fails is dialed again, whatever the reason
            end = Dropped(close_codes.HANDSHAKE, redact(repr(error)))
        if self._is_over:
            return
        self._stop()
        self._close_socket(code, reason)
        self._listener.ended(end)

    async def _session(self) -> ConnectionEnd:
        try:
            async with TimeLimit(DIAL_TIMEOUT):
                opener = await self._dial()
        except asyncio.TimeoutError:
            raise dropped(close_codes.TIMEOUT, "the mesh did not answer the handshake") from None
        except ConnectionClosed as error:
            return end_of(error)
        self._schedule_keepalive()
        try:
            while True:
                self._receive(await self._socket_frame(), opener)
        except ConnectionClosed as error:
            return end_of(error)

    async def _socket_frame(self) -> bytes | str:
        assert self._socket is not None  # noqa: S101 - for the type checker
        frame = await self._socket.receive()
        self._listener.activity()
        return frame

    async def _dial(self) -> Opener:
        """Dial, and shake hands. Returns what opens the mesh's frames."""
        mesh_key = self._options.mesh_key or await self._fetch_mesh_key()
        self._socket = await open_socket(self._options, mesh_key)
        keys = self._options.profile.keys
        noise = NoiseHandshake(keys, MUSTER_2_PROLOGUE)
        self._socket.send(noise.write())
        message = await self._socket_frame()
        if isinstance(message, str) or len(message) > HELLO_BYTES_MAX:
            raise dropped(close_codes.HANDSHAKE, "the server sent no handshake message")
        try:
            noise.read(message)
        except NoiseError:
            raise unproved("the server did not complete the Noise handshake") from None
        proved = noise.remote_static or b""
        if proved.hex() != mesh_key:
            raise unproved(f"the server holds the key {proved.hex()}, expected {mesh_key}")
        message3 = noise.write(hello_bytes(self._options))
        session = noise.split()
        self._mesh_id = peer_id_of(proved)
        self._socket.send(message3)
        self._sealer = Sealer(session.send)
        self._listener.authenticated(mesh_key)
        return Opener(session.receive)

    async def _fetch_mesh_key(self) -> str:
        """Trust on first use: the key that the mesh claims. The handshake then proves that it holds this key."""
        try:
            return await fetch_mesh_key(self._options.url)
        except ConnectFailed as error:
            raise failed(error.failure) from None

    def _receive(self, frame: bytes | str, opener: Opener) -> None:
        if isinstance(frame, str):
            if frame != HEARTBEAT_RESPONSE:
                self._listener.frame_ignored("unexpected text frame")
            return
        plaintext = opener.open(frame)
        if plaintext is None:
            raise dropped(
                close_codes.BAD_MESSAGE, "a frame did not decrypt as the session's next one"
            )
        try:
            envelope = read_envelope(plaintext.decode("utf-8"))
        except ValueError:
            self._listener.frame_ignored("the message is not a valid envelope")
            return
        if envelope.type == "task_offer":
            self._pacer.offer_received(envelope.payload)
        if not self._confirms(envelope):
            self._listener.message(envelope)

    def _confirms(self, envelope: Envelope) -> bool:
        """Whether a message is the answer to a ping of the window of answers, and thus of interest to nothing else."""
        if envelope.type != "pong" or envelope.reply_to is None:
            return False
        return self._pacer.pong_received(envelope.reply_to)

    def _emit(self, message: Outgoing) -> int:
        """Encrypt a message and give it to the socket at once: the counter that encrypted it has advanced."""
        if self._sealer is None or self._socket is None:
            return 0
        text = message.text(self._own_id, self._mesh_id, self._timestamp())
        frame = self._sealer.seal(text.encode())
        self._socket.send(frame)
        return len(frame)

    def _schedule_keepalive(self) -> None:
        pause = HEARTBEAT_INTERVAL * (1 - _KEEPALIVE_JITTER * random.random())  # noqa: S311 - jitter
        self._keepalive = asyncio.get_running_loop().call_later(pause, self._send_keepalive)

    def _send_keepalive(self) -> None:
        if self._socket is not None and not self._is_over:
            self._socket.send(HEARTBEAT_REQUEST)
            self._schedule_keepalive()


_closings: set[asyncio.Future[None]] = set()
"""Keeps the tasks that close sockets: the event loop itself only refers to tasks weakly."""
