"""The secret that a sender and a recipient agree on."""

from __future__ import annotations

from muster._crypto.hashes import sha256
from muster._crypto.identity import agree, is_canonical_key


def shared_secret(private_key: bytes, public_key: bytes) -> bytes | None:
    """SHA-256(X25519(own private, other public)); None for a key of low order or not canonical."""
    agreed = agree(private_key, public_key) if is_canonical_key(public_key) else None
    return None if agreed is None else sha256(agreed)
