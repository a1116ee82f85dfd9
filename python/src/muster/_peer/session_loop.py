"""Keeps a peer connected: connecting, joining, active, then waiting and connecting again, until it is closed from either side."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from muster._connection.connection import Connection
from muster._connection.end import ConnectionEnd, Dismissed, Dropped, Refused, Skewed
from muster._connection.open_socket import DIAL_TIMEOUT
from muster._connection.profile import DialOptions
from muster._peer.events import Disconnected
from muster._peer.key_in_use import KeyInUse
from muster._peer.reconnect_backoff import ReconnectBackoff
from muster._protocol import close_codes

if TYPE_CHECKING:
    from muster._peer.destination import Destination
    from muster._peer.session_owner import SessionLoopOwner
    from muster._protocol.envelope import Envelope
    from muster._protocol.inbound_types import Reconnect
    from muster.errors import PeerError

MESH_SILENCE_MAX = 75.0
"""The connection is dropped after this time without a frame: three heartbeat answers in a row are missing."""
OVERDUE_GRACE = 0.5
REJECTION_PAUSE_MAX = 300.0
"""The longest pause that the mesh may ask for when it rejects a peer."""
DISCONNECT_GRACE = 2.0
"""After `disconnect` the mesh closes the socket with the final close code; after this time the peer closes it."""

PeerState = Literal["connecting", "joining", "active", "waiting", "closed"]
"""`joining`: the mesh has proved its key and decides on admission. `waiting`: disconnected until the next dial."""


@dataclass(slots=True)
class _Session:
    """One connection, from its dial on."""

    connection: Connection
    state: Literal["connecting", "joining", "active"]
    is_corrected: bool
    """Whether it was dialed with a corrected clock."""
    active_since: float | None = None
    heard_at: float = 0.0
    is_overdue: bool = False
    """Whether nothing was heard for too long when that was checked last."""


class SessionLoop:
    """Corrects the clock offset and the pinned mesh key where the mesh announced a change."""

    def __init__(self, destination: Destination, owner: SessionLoopOwner) -> None:
        self.mesh_key = destination.mesh_key
        """The key that the mesh must prove, in hex; None before the first handshake of a peer that pins none."""
        self._destination = destination
        self._owner = owner
        self._next_mesh_key = destination.next_mesh_key
        self._backoff = ReconnectBackoff()
        self._key_in_use = KeyInUse()
        self._correction: float | None = None
        self._asked_pause = 0.0
        self._closing: asyncio.Future[None] | None = None
        self._session: _Session | None = None
        self._is_closed = False
        self._redial_timer: asyncio.TimerHandle | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._grace: asyncio.TimerHandle | None = None
        self._welcome_deadline: asyncio.TimerHandle | None = None

    @property
    def state(self) -> PeerState:
        """Where the loop is."""
        if self._is_closed:
            return "closed"
        return "waiting" if self._session is None else self._session.state

    @property
    def connection(self) -> Connection | None:
        """The present connection, welcomed or not; None if there is none."""
        return None if self._session is None else self._session.connection

    @property
    def active_connection(self) -> Connection | None:
        """The connection of the active session; None outside of one."""
        is_active = self._session is not None and self._session.state == "active"
        return self.connection if is_active else None

    def start(self) -> None:
        """Dial for the first time."""
        self._redial()

    def welcomed(self, position: Reconnect | None, next_mesh_key: str | None) -> Connection | None:
        """Note the mesh's welcome. Returns the connection of the session; None if no welcome was expected."""
        session = self._session
        if session is None or session.state != "joining":
            return None
        session.state = "active"
        session.active_since = time.monotonic()
        _cancel(self._welcome_deadline)
        self._next_mesh_key = next_mesh_key
        self._backoff.set_position(position)
        return session.connection

    def disconnecting(self, position: Reconnect | None, reason: str) -> None:
        """Note that the mesh will disconnect.

        Its close code, which follows, says whether to reconnect; if it does not follow within `DISCONNECT_GRACE`, the connection is
        dropped from this side.
        """
        self._backoff.update_position(position)
        if self._session is None:
            return
        _cancel(self._grace)
        self._grace = _later(DISCONNECT_GRACE, lambda: self._drop(close_codes.NORMAL, reason))

    def rejected(self, retry_after: float) -> None:
        """Note that the mesh rejects the peer and names the seconds after which to try again."""
        self._asked_pause = min(retry_after, REJECTION_PAUSE_MAX)

    def end(self, error: PeerError) -> None:
        """End the loop from this side, with an error."""
        if self._session is not None:
            self._session.connection.close(close_codes.NORMAL, "")
        self._finish(error)

    async def close(self, reason: str) -> None:
        """End the loop. Returns once the socket is closed, also when it is called again."""
        if self._closing is None and not self._is_closed:
            self._closing = asyncio.ensure_future(self._close(reason))
        if self._closing is not None:
            await asyncio.shield(self._closing)

    async def _close(self, reason: str) -> None:
        session = self._stop()
        if session is not None:
            message = {"reason": reason, "code": close_codes.NORMAL}
            session.connection.send("disconnect", message)
            # A program may end once its peer has: what is to be sent is sent before.
            await session.connection.close(close_codes.NORMAL, "")
        self._owner.closed(None)

    # What the connection reports.

    def authenticated(self, mesh_key: str) -> None:
        """Pin the key that the mesh has proved."""
        session = self._session
        if session is None or session.state != "connecting":
            return
        self.mesh_key = mesh_key
        session.state = "joining"
        session.heard_at = time.monotonic()
        self._watch(MESH_SILENCE_MAX)
        # The platform answers heartbeats also while the mesh behind it does not work.
        self._welcome_deadline = _later(DIAL_TIMEOUT, self._not_welcomed)

    def activity(self) -> None:
        """Note that a frame arrived."""
        if self._session is not None:
            self._session.heard_at = time.monotonic()
            self._session.is_overdue = False

    def message(self, envelope: Envelope) -> None:
        """Pass a message on."""
        self._owner.message(envelope)

    def frame_ignored(self, reason: str) -> None:
        """Pass on that a frame was dropped."""
        self._owner.frame_ignored(reason)

    def ended(self, end: ConnectionEnd) -> None:
        """Decide what follows the end of a connection."""
        if self._is_closed:
            return
        session = self._session
        self._session = None
        self._stop_timers()
        self._owner.detached()
        if self._corrects(end, session):
            self._redial()
            return
        now = time.monotonic()
        since = None if session is None else session.active_since
        length = None if since is None else now - since
        asked, self._asked_pause = self._asked_pause, 0.0
        pause = self._key_in_use.pause_after(end, length, _chance(), asked)
        if pause is not None:
            self._redial_after(pause)
            self._owner.key_in_use(end.reason, pause)
        elif isinstance(end, Refused):
            self._finish(end.error)
        elif isinstance(end, Dismissed):
            self._finish(None)
        else:
            self._retry(end, length, now, asked)

    def _retry(self, end: Dropped | Skewed, length: float | None, now: float, asked: float) -> None:
        # A mesh that lets no session begin, as while it takes a backup, ends the connection like one that restarts. That is a failure, so
        # that the pauses between dials grow.
        is_restart = isinstance(end, Dropped) and end.code == close_codes.DRAINING
        is_fault = length is None or not is_restart
        # Peers that were rejected together come back at different times: the pause is added.
        delay = asked + self._backoff.next_delay(length, now, _chance(), is_fault=is_fault)
        self._redial_after(delay)
        if isinstance(end, Dropped):
            event = Disconnected(end.code, end.reason, delay, end.failure)
        else:
            event = Disconnected(close_codes.HANDSHAKE, end.reason, delay)
        self._owner.disconnected(event)

    def _corrects(self, end: ConnectionEnd, session: _Session | None) -> bool:
        """Correct what caused the end, if possible. True if the peer should dial again without delay."""
        if isinstance(end, Skewed):
            # A corrected dial that is refused again waits: the server must not make the peer dial without a pause.
            if session is not None and session.is_corrected:
                return False
            self._correction = end.clock_offset
            return True
        if not isinstance(end, Refused):
            return False
        if end.error.code == "mesh_key_mismatch" and self._next_mesh_key is not None:
            # The mesh has completed its rotation to the key that it had announced.
            self.mesh_key, self._next_mesh_key = self._next_mesh_key, None
            return True
        return self._owner.recover(end.error)

    def _redial_after(self, pause: float) -> None:
        self._redial_timer = _later(pause, self._redial)

    def _redial(self) -> None:
        self._redial_timer = None
        # A correction is for one dial only; the dial after it is by this machine's own clock.
        correction, self._correction = self._correction, None
        options = DialOptions(
            self._destination.url,
            self._owner.profile(),
            self.mesh_key,
            self._destination.join_key,
            self._owner.held_tasks(),
            correction or 0.0,
        )
        connection = Connection(options, self)
        self._session = _Session(connection, "connecting", correction is not None)
        self._owner.connecting(self._backoff.failures)

    def _watch(self, delay: float) -> None:
        self._watchdog = _later(delay, self._check_silence)

    def _check_silence(self) -> None:
        if self._session is None:
            return
        left = self._session.heard_at + MESH_SILENCE_MAX - time.monotonic()
        if left > 0:
            self._watch(left)
        elif not self._session.is_overdue:
            # What has come is read first: this thread may have been kept from running.
            self._session.is_overdue = True
            self._watch(OVERDUE_GRACE)
        else:
            self._drop(close_codes.TIMEOUT, "no frame from the mesh within the timeout")

    def _not_welcomed(self) -> None:
        self._drop(close_codes.TIMEOUT, "no welcome from the mesh within the timeout")

    def _drop(self, code: int, reason: str) -> None:
        """Close the connection from this side, to reconnect later."""
        if self._session is not None:
            self._session.connection.close(code, "")
        self.ended(Dropped(code, reason))

    def _finish(self, error: PeerError | None) -> None:
        self._stop()
        self._owner.closed(error)

    def _stop(self) -> _Session | None:
        """Dial no more. Returns the session that there was."""
        session, self._session = self._session, None
        self._is_closed = True
        _cancel(self._redial_timer)
        self._stop_timers()
        return session

    def _stop_timers(self) -> None:
        _cancel(self._watchdog)
        _cancel(self._grace)
        _cancel(self._welcome_deadline)


def _later(delay: float, callback: object) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(delay, callback)  # type: ignore[arg-type]


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


def _chance() -> float:
    return random.random()  # noqa: S311 - jitter
