"""Seals forms to X25519 public keys, and opens them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from muster._crypto.identity import public_key_of
from muster._protocol.constants import KEY_BYTES
from muster._stmf.agreement import shared_secret
from muster._stmf.container import (
    CONTAINER_BYTES_MAX,
    RECIPIENTS_MAX,
    SealedContainer,
    decode_stmf,
    encode_stmf,
    too_large,
)
from muster._stmf.errors import StmfError
from muster._stmf.form import Form, read_form, write_form
from muster._stmf.recipients import payload_key, unwrap_key, wrap_key
from muster._stmf.sigil import open_sigil, seal_sigil

if TYPE_CHECKING:
    from collections.abc import Sequence

_OVERHEAD_MAX = 8 * 1024
"""Bytes of header, nonce and tag around a plaintext, rounded up."""


def seal_form(form: Form, public_key: bytes) -> bytes:
    """Seals a form to one public key: key = SHA-256(X25519(ephemeral, recipient)). Raises `StmfError`.

    Anyone can seal, so opening proves nothing about the sender.
    """
    plaintext = _plaintext_of(form)
    private_key, ephemeral_public = _new_key_pair()
    key = shared_secret(private_key, public_key)
    if key is None:
        raise StmfError("public_key_invalid", f"not {KEY_BYTES} bytes, or of low order")
    return encode_stmf(SealedContainer(ephemeral_public, seal_sigil(key, plaintext)))


def seal_form_for_all(form: Form, public_keys: Sequence[bytes]) -> bytes:
    """Seals a form to several public keys; each of the private keys opens it. Raises `StmfError`."""
    distinct = list(dict.fromkeys(public_keys))
    if len(public_keys) > RECIPIENTS_MAX or not distinct:
        raise StmfError("recipients_invalid", f"a form needs 1 to {RECIPIENTS_MAX} recipients")
    if len(distinct) == 1:
        return seal_form(form, distinct[0])
    plaintext = _plaintext_of(form)
    ephemeral = _new_key_pair()
    content_key = os.urandom(KEY_BYTES)
    wrapped = wrap_key(content_key, ephemeral, distinct)
    payload = seal_sigil(payload_key(content_key), plaintext)
    return encode_stmf(SealedContainer(ephemeral[1], payload, wrapped))


def open_form(data: bytes, private_key: bytes) -> Form:
    """Opens a container for one or several recipients. Raises `StmfError`."""
    if len(private_key) != KEY_BYTES:
        raise StmfError("private_key_invalid", f"a private key has {KEY_BYTES} bytes")
    sealed = decode_stmf(data)
    secret = shared_secret(private_key, sealed.ephemeral_public_key)
    if secret is None:
        raise StmfError("container_invalid", "the ephemeral key is of low order")
    key = _payload_key_of(sealed, secret, private_key)
    plaintext = None if key is None else open_sigil(key, sealed.payload)
    if plaintext is None:
        raise StmfError("container_sealed_otherwise", "the payload does not open with this key")
    return read_form(plaintext)


def _payload_key_of(sealed: SealedContainer, secret: bytes, private_key: bytes) -> bytes | None:
    if sealed.wrapped is None:
        return secret
    public_key = public_key_of(private_key)
    content_key = unwrap_key(sealed.wrapped, secret, sealed.ephemeral_public_key, public_key)
    return None if content_key is None else payload_key(content_key)


def _plaintext_of(form: Form) -> bytes:
    plaintext = write_form(form)
    if len(plaintext) > CONTAINER_BYTES_MAX - _OVERHEAD_MAX:
        raise too_large(f"a form of {len(plaintext)} bytes")
    return plaintext


def _new_key_pair() -> tuple[bytes, bytes]:
    private_key = os.urandom(KEY_BYTES)
    return private_key, public_key_of(private_key)
