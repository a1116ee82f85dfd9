"""Proofs that a sender holds an X25519 private key, for a receiver with a key pair of its own.

The MAC key is derived from the agreed secret and the proof's purpose, so that a proof made for one purpose is invalid for any other.
"""

from __future__ import annotations

from muster._base.bytes import from_hex
from muster._crypto.hashes import equal_constant_time, hmac_sha256, sha256
from muster._crypto.identity import agree


def make_connect_proof(
    private_key: bytes, mesh_key: bytes, host: str, unix_seconds: int
) -> str | None:
    """Return the proof that a connecting peer puts into its URL, in hex; None for a mesh key of low order."""
    return _proof("muster/2 connect", private_key, mesh_key, f"{host}{unix_seconds}")


def make_rotation_proof(
    new_private_key: bytes, mesh_key: bytes, old_id: str, new_public_key: str
) -> str | None:
    """Return the proof in `rotate` that the sender, identified by its old ID, holds the new private key."""
    return _proof("muster/2 rotate", new_private_key, mesh_key, old_id + new_public_key)


def verify_mesh_proof(
    private_key: bytes, mesh_key: bytes, challenge: str, signing_key: str, time: str, proof: str
) -> bool:
    """Whether the holder of a mesh's key states this signing key and this time.

    `private_key` is that of the challenge: made for this one proof, so that a proof can't be repeated to another caller or later.
    """
    expected = _proof("muster/2 mesh", private_key, mesh_key, challenge + signing_key + time)
    shown = from_hex(proof)
    if expected is None or shown is None:
        return False
    return equal_constant_time(bytes.fromhex(expected), shown)


def _proof(purpose: str, private_key: bytes, public_key: bytes, statement: str) -> str | None:
    agreed = agree(private_key, public_key)
    if agreed is None:
        return None
    key = sha256(purpose.encode() + agreed)
    return hmac_sha256(key, statement.encode()).hex()
