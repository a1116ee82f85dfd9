"""Changes the key of a peer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from muster._crypto.key_proofs import make_rotation_proof
from muster.errors import PeerError, PeerErrorCode

if TYPE_CHECKING:
    from muster._connection.connection import Connection
    from muster._crypto.identity import KeyPair

_TIMEOUT_CODE = 1005
"""After this error of the mesh the outcome is unknown until the next welcome."""


@dataclass(slots=True)
class _Pending:
    keys: KeyPair
    message_id: str
    done: asyncio.Future[KeyPair]


class KeyRotation:
    """A rotation is pending from the `rotate` message until a welcome: the mesh moves the record, then ends the session.

    If the socket closes before that is known, the next handshake shows the outcome: the mesh refuses the old key as `rotated`, or
    welcomes it because nothing was changed.
    """

    def __init__(self) -> None:
        self._pending: _Pending | None = None

    async def rotate(
        self, connection: Connection | None, current: KeyPair, keys: KeyPair, mesh_key: str
    ) -> KeyPair:
        """Send `rotate` and return the new keys once the mesh has welcomed the peer under them. Raises `PeerError`."""
        if connection is None or self._pending is not None:
            text = "rotating needs an active session and no other rotation in progress"
            raise PeerError("rotation_failed", text)
        public_key = keys.public_key.hex()
        mesh = bytes.fromhex(mesh_key)
        proof = make_rotation_proof(keys.private_key, mesh, current.id, public_key)
        message = {"public_key": public_key, "proof": proof}
        message_id = None if proof is None else connection.send("rotate", message)
        if message_id is None:
            text = "the session ended before the request was sent"
            raise PeerError("rotation_failed", text)
        done: asyncio.Future[KeyPair] = asyncio.get_running_loop().create_future()
        self._pending = _Pending(keys, message_id, done)
        return await asyncio.shield(done)

    def error_received(self, code: float, message: str, reply_to: str | None) -> None:
        """Note an error of the mesh."""
        is_reply = self._pending is not None and self._pending.message_id == reply_to
        if is_reply and code != _TIMEOUT_CODE:
            self._fail(message)

    def keys_after_refusal(self, error: PeerError, current: KeyPair) -> KeyPair | None:
        """Return the new keys if the mesh refused `current` because the pending rotation has replaced it."""
        if error.code != "rotated" or self._pending is None or self._pending.keys is current:
            return None
        return self._pending.keys

    def welcomed(self, peer_id: str) -> bool:
        """End the pending rotation by a welcome. True if the peer was welcomed under its new ID."""
        pending = self._pending
        if pending is None:
            return False
        if pending.keys.id != peer_id:
            self._fail("the mesh did not accept the new key; try again")
            return False
        self._pending = None
        if not pending.done.done():
            pending.done.set_result(pending.keys)
        return True

    def stop(self, reason: str) -> None:
        """The peer has ended. Whether the mesh has accepted the new key of a pending rotation stays unknown."""
        self._fail(f"{reason}; the mesh may have accepted the new key", "rotation_unknown")

    def _fail(self, reason: str, code: PeerErrorCode = "rotation_failed") -> None:
        pending, self._pending = self._pending, None
        if pending is not None and not pending.done.done():
            pending.done.set_exception(PeerError(code, reason))
