"""The key pair of a peer, and the ID that follows from it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from muster._base.bytes import from_hex
from muster._crypto.hashes import sha256
from muster._protocol.constants import KEY_BYTES, PEER_ID_BYTES
from muster.errors import OptionsError


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An X25519 key pair and the peer ID derived from its public key. Keep `private_key` secret: it proves the identity."""

    private_key: bytes = field(repr=False)
    public_key: bytes
    id: str


PrivateKey = str | bytes | KeyPair
"""A private key: 64 hex characters, 32 bytes, or the key pair itself."""


def peer_id_of(public_key: bytes) -> str:
    """Return the first 16 bytes of SHA-256(public key), in hex."""
    return sha256(public_key)[:PEER_ID_BYTES].hex()


def public_key_of(private_key: bytes) -> bytes:
    """Return the public key of a private key of 32 bytes."""
    return X25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


def agree(private_key: bytes, public_key: bytes) -> bytes | None:
    """Return the agreed secret; None when the public key is of low order or not 32 bytes."""
    try:
        theirs = X25519PublicKey.from_public_bytes(public_key)
        return X25519PrivateKey.from_private_bytes(private_key).exchange(theirs)
    except ValueError:
        return None


def key_pair_of(private_key: bytes) -> KeyPair:
    """Return the key pair of a private key of 32 bytes."""
    public_key = public_key_of(private_key)
    return KeyPair(private_key, public_key, peer_id_of(public_key))


def generate_identity() -> KeyPair:
    """Generate a new identity. Keep its `private_key` secret: it proves the identity."""
    return key_pair_of(os.urandom(KEY_BYTES))


def identity_from(key: PrivateKey) -> KeyPair:
    """Return the key pair of a private key. Raises `OptionsError`, without the key in its text, if the key is not valid."""
    if isinstance(key, KeyPair):
        return key
    return key_pair_of(key_bytes(key, "a private key"))


def public_key_hex(key: str | bytes, what: str = "a mesh key") -> str:
    """Return a public key in lower-case hex. Raises `OptionsError` that calls the key `what` if it is not valid."""
    return key_bytes(key, what).hex()


def key_bytes(key: str | bytes, what: str) -> bytes:
    """Return the 32 bytes of a key. Raises `OptionsError`, without the key in its text, if it is not valid."""
    data: bytes | None = None
    if isinstance(key, str):
        data = from_hex(key)
    elif isinstance(key, bytes | bytearray | memoryview):
        data = bytes(key)
    if data is None or len(data) != KEY_BYTES:
        raise OptionsError(f"{what} must be {KEY_BYTES} bytes, or {2 * KEY_BYTES} hex characters")
    return data


_PRIME = bytes([0xED]) + bytes([0xFF]) * 30 + bytes([0x7F])
"""The prime of the field, 2^255 - 19, little-endian."""


def is_canonical_key(public_key: bytes) -> bool:
    """Whether a public key is the canonical encoding of its point.

    X25519 ignores the highest bit and reduces modulo the prime (RFC 7748 section 5), so a non-canonical encoding would agree on the
    same secrets but hash to a different peer ID.
    """
    return len(public_key) == KEY_BYTES and int.from_bytes(public_key, "little") < int.from_bytes(
        _PRIME, "little"
    )
