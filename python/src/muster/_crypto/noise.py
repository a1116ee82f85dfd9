"""Noise_XX_25519_ChaChaPoly_SHA256 (The Noise Protocol Framework, revision 34): -> e; <- e, ee, s, es; -> s, se.

Both sides prove their static keys to each other with fresh ephemeral keys. Written on the primitives, because frames of this protocol
exceed the 65,535 bytes that Noise libraries take.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from muster._crypto.hashes import hmac_sha256, sha256
from muster._crypto.identity import agree, public_key_of
from muster._protocol.constants import KEY_BYTES, TAG_BYTES

if TYPE_CHECKING:
    from muster._crypto.identity import KeyPair

_PROTOCOL = b"Noise_XX_25519_ChaChaPoly_SHA256"
_PATTERN = (("e",), ("e", "ee", "s", "es"), ("s", "se"))


class NoiseError(Exception):
    """A message was altered, has a key of low order, or is out of turn."""


@dataclass(frozen=True, slots=True)
class TransportKeys:
    """The result of a handshake (section 5.2, Split): one key for each direction."""

    send: bytes
    receive: bytes
    handshake_hash: bytes
    """Equal on both sides, unique to this handshake."""


class NoiseHandshake:
    """One side of a handshake. `ephemeral_key`: 32 fresh random bytes; given only to reproduce a handshake."""

    def __init__(
        self,
        own: KeyPair,
        prologue: bytes,
        *,
        initiator: bool = True,
        ephemeral_key: bytes | None = None,
    ) -> None:
        self.remote_static: bytes | None = None
        """The key that the other side has proved, once its message was read."""
        self._own = own
        self._initiator = initiator
        self._messages = 0
        # The protocol's name has exactly 32 bytes, so it is the initial hash without hashing (section 5.2).
        self._chaining_key = _PROTOCOL
        self._hash = _PROTOCOL
        self._key: bytes | None = None
        self._nonce = 0
        self._ephemeral = os.urandom(KEY_BYTES) if ephemeral_key is None else ephemeral_key
        self._remote_ephemeral: bytes | None = None
        self._mix_hash(prologue)

    def write(self, payload: bytes = b"") -> bytes:
        """Return the next message."""
        message = b""
        for step in self._steps(own=True):
            if step == "e":
                public_key = public_key_of(self._ephemeral)
                self._mix_hash(public_key)
                message += public_key
            elif step == "s":
                message += self._encrypt_and_hash(self._own.public_key)
            else:
                self._mix_agreement(step)
        return message + self._encrypt_and_hash(payload)

    def read(self, message: bytes) -> bytes:
        """Return the payload of the other side's next message. Raises `NoiseError`."""
        rest = message
        for step in self._steps(own=False):
            if step == "e":
                if len(rest) < KEY_BYTES:
                    raise NoiseError("the message is too short")
                self._remote_ephemeral = rest[:KEY_BYTES]
                self._mix_hash(self._remote_ephemeral)
                rest = rest[KEY_BYTES:]
            elif step == "s":
                length = KEY_BYTES + TAG_BYTES
                self.remote_static = self._decrypt_and_hash(rest[:length])
                rest = rest[length:]
            else:
                self._mix_agreement(step)
        return self._decrypt_and_hash(rest)

    def split(self) -> TransportKeys:
        """Return the keys of the session. Raises `NoiseError` before all three messages were exchanged."""
        if self._messages != len(_PATTERN):
            raise NoiseError("the handshake is not complete")
        first, second = _hkdf(self._chaining_key, b"")
        send, receive = (first, second) if self._initiator else (second, first)
        return TransportKeys(send, receive, self._hash)

    def _steps(self, *, own: bool) -> tuple[str, ...]:
        is_own_turn = (self._messages % 2 == 0) == self._initiator
        if self._messages == len(_PATTERN) or is_own_turn != own:
            raise NoiseError("the message is out of turn")
        self._messages += 1
        return _PATTERN[self._messages - 1]

    def _mix_agreement(self, step: str) -> None:
        """`es` agrees on the initiator's ephemeral and the responder's static key; `se` on the opposite pair (section 7.1)."""
        own_is_static = step != "ee" and (step == "es") != self._initiator
        theirs_is_static = step != "ee" and not own_is_static
        private_key = self._own.private_key if own_is_static else self._ephemeral
        public_key = self.remote_static if theirs_is_static else self._remote_ephemeral
        agreed = None if public_key is None else agree(private_key, public_key)
        if agreed is None:
            raise NoiseError("a key is not usable")
        self._chaining_key, self._key = _hkdf(self._chaining_key, agreed)
        self._nonce = 0

    def _mix_hash(self, data: bytes) -> None:
        self._hash = sha256(self._hash + data)

    def _encrypt_and_hash(self, plaintext: bytes) -> bytes:
        data = plaintext
        if self._key is not None:
            nonce = nonce_bytes(self._nonce)
            data = ChaCha20Poly1305(self._key).encrypt(nonce, plaintext, self._hash)
            self._nonce += 1
        self._mix_hash(data)
        return data

    def _decrypt_and_hash(self, data: bytes) -> bytes:
        plaintext = data
        if self._key is not None:
            nonce = nonce_bytes(self._nonce)
            try:
                plaintext = ChaCha20Poly1305(self._key).decrypt(nonce, data, self._hash)
            except InvalidTag:
                raise NoiseError("the message was altered") from None
            self._nonce += 1
        self._mix_hash(data)
        return plaintext


def _hkdf(chaining_key: bytes, data: bytes) -> tuple[bytes, bytes]:
    """HKDF with two outputs (section 4.3): RFC 5869 with the chaining key as salt and no info."""
    temporary = hmac_sha256(chaining_key, data)
    first = hmac_sha256(temporary, b"\x01")
    return first, hmac_sha256(temporary, first + b"\x02")


def nonce_bytes(counter: int) -> bytes:
    """Return ChaChaPoly's nonce in Noise: 32 zero bits, then the counter as 64 bits, little-endian (section 12.3)."""
    return b"\0\0\0\0" + counter.to_bytes(8, "little")
