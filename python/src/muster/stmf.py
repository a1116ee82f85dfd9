"""STMF, Borg's sealed forms: anyone can seal a form to a public key, and only its private key opens it.

Borg's Go and PHP libraries open what is sealed to one key. Keys are 32 bytes, or base64, which is how
Borg writes them. A failure is a `StmfError`; tell failures apart by their `code`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from muster._base.bytes import from_base64, to_base64
from muster._crypto.identity import public_key_of as _public_key_of
from muster._protocol.constants import KEY_BYTES
from muster._stmf.container import (
    CONTAINER_BYTES_MAX,
    RECIPIENTS_MAX,
    SealedInfo,
    container_from_base64,
    decode_stmf,
    read_info,
)
from muster._stmf.errors import StmfError, StmfErrorCode
from muster._stmf.form import (
    Field,
    Form,
    file_content,
    file_field,
    text_field,
    value_of,
    values_of,
)
from muster._stmf.seal import open_form, seal_form, seal_form_for_all

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

__all__ = [
    "CONTAINER_BYTES_MAX",
    "PAYLOAD_FIELD",
    "RECIPIENTS_MAX",
    "Container",
    "Field",
    "Form",
    "Key",
    "Pointer",
    "RecipientKeys",
    "SealedInfo",
    "StmfError",
    "StmfErrorCode",
    "decrypt",
    "encrypt",
    "encrypt_base64",
    "file_content",
    "file_field",
    "generate_key_pair",
    "inspect",
    "new_pointer",
    "public_key_of",
    "resolve",
    "text_field",
    "validate",
    "value_of",
    "values_of",
]

PAYLOAD_FIELD = "_stmf_payload"
"""The field of a form post that contains the container in base64."""

Key: TypeAlias = bytes | str
"""An X25519 key: 32 bytes, or their base64."""
Container: TypeAlias = bytes | str
"""A container: its bytes, or base64, which is how a form post contains it."""


@dataclass(frozen=True, slots=True)
class RecipientKeys:
    """The key pair of a recipient: publish the public key, keep the private key secret."""

    private_key: bytes = field(repr=False)
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Pointer:
    """The public entry by which a blob is found. It does not reveal whose record the blob contains."""

    id: str
    blob_id: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Public JSON."""


def generate_key_pair() -> RecipientKeys:
    """A new key pair."""
    private_key = os.urandom(KEY_BYTES)
    return RecipientKeys(private_key, _public_key_of(private_key))


def public_key_of(private_key: Key) -> bytes:
    """The public key of a private key."""
    key = _key_bytes(private_key)
    if len(key) != KEY_BYTES:
        raise StmfError("private_key_invalid", f"a private key has {KEY_BYTES} bytes")
    return _public_key_of(key)


def encrypt(form: Form, recipients: Key | Sequence[Key]) -> bytes:
    """Seal a form to one public key or to several, each of whose private keys opens it.

    For one key, Borg's Go and PHP libraries open the container. That for several is Muster's own
    format, which does not reveal the recipients.
    """
    if isinstance(recipients, bytes | str):
        return seal_form(form, _key_bytes(recipients))
    return seal_form_for_all(form, [_key_bytes(key) for key in recipients])


def encrypt_base64(form: Form, recipients: Key | Sequence[Key]) -> str:
    """The same in base64: the value of the form field `PAYLOAD_FIELD`."""
    return to_base64(encrypt(form, recipients))


def decrypt(container: Container, private_key: Key) -> Form:
    """Open a container with the private key of one of its recipients."""
    return open_form(_container_bytes(container), _key_bytes(private_key))


def validate(container: Container) -> bool:
    """Whether this is a well-formed, supported container. It needs no key."""
    try:
        decode_stmf(_container_bytes(container))
    except StmfError:
        return False
    return True


def inspect(container: Container) -> SealedInfo:
    """The readable part of a container, even one with an unknown algorithm. It needs no key."""
    return read_info(_container_bytes(container))


def new_pointer(blob_id: str, metadata: Mapping[str, Any] | None = None) -> Pointer:
    """A pointer to a blob, with a new random ID. `metadata` is public: it must not identify the peer."""
    return Pointer(os.urandom(16).hex(), blob_id, metadata or {})


async def resolve(
    pointer: Pointer,
    private_key: Key,
    get_blob: Callable[[str], Awaitable[bytes | None]],
) -> Form:
    """Fetch the blob of a pointer and open it.

    `get_blob` returns the bytes under a blob ID, or None; pointers may be untrusted, so it treats the
    ID as opaque text. What it raises is passed on.
    """
    blob = await get_blob(pointer.blob_id)
    if blob is None:
        raise StmfError("blob_missing", "the store has no blob under the pointer's blob ID")
    return decrypt(blob, private_key)


def _key_bytes(key: Key) -> bytes:
    """Text that is not base64 becomes an empty key, which is refused for its length."""
    return (from_base64(key) or b"") if isinstance(key, str) else bytes(key)


def _container_bytes(container: Container) -> bytes:
    return container_from_base64(container) if isinstance(container, str) else bytes(container)
