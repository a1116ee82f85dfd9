"""A byte stream that is encrypted and authenticated in chunks (the STREAM construction).

A salt, then chunks of 256 KiB, each under AES-256-GCM. The key is derived from the shared secret, the purpose and the salt. A chunk's
nonce is its number and whether it is the last one: a chunk that is changed, repeated, moved or left out, and a stream that is cut off,
do not open.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muster._crypto.hashes import hkdf_sha256
from muster._protocol.constants import KEY_BYTES, TAG_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

Purpose = Literal["upload", "read"]
"""What a stream is for: a stream for one purpose does not open for another."""

_SALT_BYTES = 32
_CHUNK_BYTES = 262_144


class SealedStreamError(Exception):
    """The bytes differ from those that were sealed under this key."""


def seal_stream(plain: bytes, secret: bytes, purpose: Purpose, salt: bytes | None = None) -> bytes:
    """Return the sealed bytes. `salt`: 32 random bytes; given only to reproduce a stream."""
    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    cipher = _cipher(secret, purpose, salt)
    view = memoryview(plain)
    parts = [salt]
    last = max(0, (len(plain) - 1) // _CHUNK_BYTES)
    for number in range(last + 1):
        chunk = view[number * _CHUNK_BYTES : (number + 1) * _CHUNK_BYTES]
        parts.append(cipher.encrypt(_nonce(number, is_last=number == last), chunk, None))
    return b"".join(parts)


def open_stream(sealed: bytes, secret: bytes, purpose: Purpose) -> bytes:
    """Return what a sealed stream contains. Raises `SealedStreamError`."""
    if len(sealed) < _SALT_BYTES + TAG_BYTES:
        raise SealedStreamError("the bytes are cut off")
    cipher = _cipher(secret, purpose, sealed[:_SALT_BYTES])
    try:
        return b"".join(
            cipher.decrypt(_nonce(number, is_last=is_last), chunk, None)
            for number, chunk, is_last in _chunks(memoryview(sealed)[_SALT_BYTES:])
        )
    except InvalidTag:
        raise SealedStreamError("the bytes are not those that were sealed with this key") from None


def _chunks(sealed: memoryview) -> Iterator[tuple[int, memoryview, bool]]:
    size = _CHUNK_BYTES + TAG_BYTES
    last = (len(sealed) - 1) // size
    for number in range(last + 1):
        yield number, sealed[number * size : (number + 1) * size], number == last


def _cipher(secret: bytes, purpose: Purpose, salt: bytes) -> AESGCM:
    return AESGCM(hkdf_sha256(secret, f"muster/stream/1 {purpose}".encode(), KEY_BYTES, salt))


def _nonce(number: int, *, is_last: bool) -> bytes:
    """11 bytes of the chunk's number, then 1 for the last chunk and 0 for the others."""
    return number.to_bytes(11, "big") + bytes([is_last])
