"""The keys of a container for several recipients, which does not identify them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from muster._crypto.hashes import equal_constant_time, hkdf_sha256, hmac_sha256
from muster._crypto.xchacha import chacha_open, chacha_seal
from muster._protocol.constants import KEY_BYTES
from muster._stmf.agreement import shared_secret
from muster._stmf.container import STANZA_BYTES, WrappedKeys
from muster._stmf.errors import StmfError

if TYPE_CHECKING:
    from collections.abc import Sequence

_NONCE = bytes(12)
"""A fixed nonce is safe: each wrapping key is used once, because the ephemeral key is new."""


def payload_key(content_key: bytes) -> bytes:
    """The key of the payload, derived from the content key, which is never used directly."""
    return hkdf_sha256(content_key, b"muster/stmf payload", KEY_BYTES, b"")


def wrap_key(
    content_key: bytes, ephemeral: tuple[bytes, bytes], public_keys: Sequence[bytes]
) -> WrappedKeys:
    """Wraps a content key for each of the public keys, which must be distinct. Raises `StmfError`.

    `ephemeral` is the sender's private key and its public key. The stanzas are sorted, and random ones fill up to the
    next power of two, so that the number of recipients is hidden, too.
    """
    private_key, ephemeral_public = ephemeral
    stanzas = [_stanza(content_key, private_key, ephemeral_public, key) for key in public_keys]
    padded = 1 << (len(stanzas) - 1).bit_length()
    stanzas += [os.urandom(STANZA_BYTES) for _ in range(padded - len(stanzas))]
    stanzas.sort()
    return WrappedKeys(stanzas, _header_mac(content_key, ephemeral_public, stanzas))


def unwrap_key(
    wrapped: WrappedKeys, secret: bytes, ephemeral_public: bytes, recipient_public: bytes
) -> bytes | None:
    """The content key; None when no stanza is for the recipient, or the header was changed."""
    key = _wrapping_key(secret, ephemeral_public, recipient_public)
    for stanza in wrapped.stanzas:
        content_key = chacha_open(key, _NONCE, stanza, b"")
        if content_key is not None:
            expected = _header_mac(content_key, ephemeral_public, wrapped.stanzas)
            return content_key if equal_constant_time(wrapped.mac, expected) else None
    return None


def _stanza(
    content_key: bytes, private_key: bytes, ephemeral_public: bytes, recipient: bytes
) -> bytes:
    secret = shared_secret(private_key, recipient)
    if secret is None:
        raise StmfError("public_key_invalid", f"not {KEY_BYTES} bytes, or of low order")
    return chacha_seal(_wrapping_key(secret, ephemeral_public, recipient), _NONCE, content_key, b"")


def _wrapping_key(secret: bytes, ephemeral_public: bytes, recipient_public: bytes) -> bytes:
    return hkdf_sha256(secret, b"muster/stmf wrap", KEY_BYTES, ephemeral_public + recipient_public)


def _header_mac(content_key: bytes, ephemeral_public: bytes, stanzas: Sequence[bytes]) -> bytes:
    key = hkdf_sha256(content_key, b"muster/stmf header", KEY_BYTES, b"")
    return hmac_sha256(key, b"".join((ephemeral_public, *stanzas)))
