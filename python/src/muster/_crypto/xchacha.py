"""ChaCha20-Poly1305, and XChaCha20-Poly1305, which `cryptography` lacks."""

from __future__ import annotations

import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from muster._protocol.constants import TAG_BYTES

XCHACHA_NONCE_BYTES = 24

_CONSTANTS = struct.unpack("<4I", b"expand 32-byte k")
_WORD = 0xFFFFFFFF


def chacha_seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes = b"") -> bytes:
    """ChaCha20-Poly1305 (RFC 8439): ciphertext and tag."""
    return ChaCha20Poly1305(key).encrypt(nonce, plaintext, aad)


def chacha_open(key: bytes, nonce: bytes, sealed: bytes, aad: bytes = b"") -> bytes | None:
    """The plaintext; None when key, nonce, data or `aad` differ from those used for sealing."""
    if len(sealed) < TAG_BYTES:
        return None
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, sealed, aad)
    except InvalidTag:
        return None


def xchacha_seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes = b"") -> bytes:
    """XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): ciphertext and tag."""
    return chacha_seal(_hchacha20(key, nonce[:16]), bytes(4) + nonce[16:], plaintext, aad)


def xchacha_open(key: bytes, nonce: bytes, sealed: bytes, aad: bytes = b"") -> bytes | None:
    """The plaintext; None when key, nonce, data or `aad` differ from those used for sealing."""
    return chacha_open(_hchacha20(key, nonce[:16]), bytes(4) + nonce[16:], sealed, aad)


def _hchacha20(key: bytes, nonce: bytes) -> bytes:
    """Words 0 to 3 and 12 to 15 of ChaCha20's state after its rounds.

    `cryptography` has only whole ChaCha20, which then adds the first state: the addition is undone.
    """
    block = Cipher(algorithms.ChaCha20(key, nonce), mode=None).encryptor().update(bytes(64))
    words = struct.unpack("<16I", block)
    added = (*_CONSTANTS, *struct.unpack("<4I", nonce))
    kept = zip((*words[:4], *words[12:]), added, strict=True)
    return struct.pack("<8I", *((word - first) & _WORD for word, first in kept))
