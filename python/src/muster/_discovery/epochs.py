"""The keys with which a member of a mesh finds peers and opens their records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muster._base.bytes import from_hex
from muster._crypto.hashes import hkdf_sha256, hmac_sha256
from muster._protocol.constants import KEY_BYTES, PEER_ID_BYTES

if TYPE_CHECKING:
    from muster._answers.discovery import DiscoveryKeys


def pointer_id_of(pointer_secret: bytes, peer_id: str) -> str:
    """A peer's pointer ID: the first 16 bytes of HMAC-SHA256(pointer secret, peer ID)."""
    return hmac_sha256(pointer_secret, peer_id.encode())[:PEER_ID_BYTES].hex()


def reader_token(pointer_secret: bytes) -> str:
    """The bearer token with which a member reads discovery, at the mesh or at a replica, until the epoch ends."""
    return hkdf_sha256(pointer_secret, b"muster/discovery reader v1", KEY_BYTES, b"").hex()


def keys_of_epoch(keys: DiscoveryKeys, epoch: int) -> tuple[bytes, bytes] | None:
    """The private key and the pointer secret of an epoch; None when the reader does not have them."""
    for each in keys.epochs:
        if each.epoch == epoch:
            private_key, secret = from_hex(each.private_key), from_hex(each.pointer_secret)
            if private_key is not None and secret is not None:
                return private_key, secret
    return None
