"""Hashes, MACs and key derivation."""

from __future__ import annotations

import hashlib
import hmac

HASH_BYTES = 32


def sha256(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.digest(key, data, "sha256")


def equal_constant_time(a: bytes, b: bytes) -> bool:
    """Whether two MACs are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(a, b)


def hkdf_sha256(secret: bytes, info: bytes, length: int, salt: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869), of at most 32 bytes times 255."""
    key = hmac_sha256(salt, secret)
    block = b""
    derived = b""
    counter = 1
    while len(derived) < length:
        block = hmac_sha256(key, block + info + bytes([counter]))
        derived += block
        counter += 1
    return derived[:length]
