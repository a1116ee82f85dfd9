"""Borg's payload format ("ChaChaPoly sigil")."""

from __future__ import annotations

import hashlib
import os

from muster._crypto.xchacha import XCHACHA_NONCE_BYTES, xchacha_open, xchacha_seal
from muster._protocol.constants import TAG_BYTES

SIGIL_OVERHEAD = XCHACHA_NONCE_BYTES + TAG_BYTES
"""Bytes that sealing adds."""

_BLOCK_BYTES = 32
_BLOCKS_AT_ONCE = 2_048


def seal_sigil(key: bytes, plaintext: bytes) -> bytes:
    """The nonce, then XChaCha20-Poly1305 of the plaintext XORed with a keystream.

    The keystream is SHA-256(nonce + block number as 64 bits, big-endian). It adds no secrecy, because the nonce is
    public; the format requires it.
    """
    nonce = os.urandom(XCHACHA_NONCE_BYTES)
    return nonce + xchacha_seal(key, nonce, _xor_keystream(nonce, plaintext))


def open_sigil(key: bytes, sealed: bytes) -> bytes | None:
    """The plaintext; None when the key is wrong or the bytes were changed."""
    if len(sealed) < SIGIL_OVERHEAD:
        return None
    nonce = sealed[:XCHACHA_NONCE_BYTES]
    mixed = xchacha_open(key, nonce, sealed[XCHACHA_NONCE_BYTES:])
    return None if mixed is None else _xor_keystream(nonce, mixed)


def _xor_keystream(nonce: bytes, data: bytes) -> bytes:
    parts = []
    step = _BLOCK_BYTES * _BLOCKS_AT_ONCE
    sha256 = hashlib.sha256
    for start in range(0, len(data), step):
        part = data[start : start + step]
        first = start // _BLOCK_BYTES
        count = -(-len(part) // _BLOCK_BYTES)
        stream = b"".join(
            sha256(nonce + number.to_bytes(8, "big")).digest()
            for number in range(first, first + count)
        )
        # Large integers XOR in C.
        mixed = int.from_bytes(part, "little") ^ int.from_bytes(stream[: len(part)], "little")
        parts.append(mixed.to_bytes(len(part), "little"))
    return b"".join(parts)
