"""STMF 1.0: `STMF`, 2, header length, JSON header, payload."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from muster._base.bytes import from_base64, to_base64
from muster._protocol.constants import KEY_BYTES, TAG_BYTES
from muster._stmf.errors import StmfError
from muster._stmf.text import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STMF_MAGIC = b"STMF"
CONTAINER_BYTES_MAX = 36 * 1024 * 1024
"""Enough for a file of 25 MiB in base64, the rest of its form and the container around it."""
RECIPIENTS_MAX = 64
"""The most recipients of one container."""
STANZA_BYTES = KEY_BYTES + TAG_BYTES
MAC_BYTES = 32

_CONTAINER_VERSION = 2
_FIXED_BYTES = 4 + 1 + 4
_HEADER_BYTES_MAX = 16 * 1024
_HEADER_DEPTH_MAX = 8
_BASE64_CHARS_MAX = 4 * -(-CONTAINER_BYTES_MAX // 3)
_VERSION = "1.0"
_FOR_ONE = "x25519-chacha20poly1305"
"""Borg's algorithm: the payload key is derived from the single recipient's key."""
_FOR_SEVERAL = "muster-x25519-chacha20poly1305-multi"
"""Muster's algorithm: the payload key is wrapped for each recipient. Borg refuses it."""


@dataclass(frozen=True, slots=True)
class WrappedKeys:
    """The content key, wrapped for each recipient, and the MAC of the header."""

    stanzas: Sequence[bytes]
    mac: bytes


@dataclass(frozen=True, slots=True)
class SealedContainer:
    ephemeral_public_key: bytes
    payload: bytes
    wrapped: WrappedKeys | None = None


@dataclass(frozen=True, slots=True)
class SealedInfo:
    """What is readable of a container without a key; None for header fields that are missing or have the wrong type."""

    algorithm: str | None
    version: str | None
    ephemeral_public_key: bytes | None
    recipients_max: int
    """The largest possible number of recipients: 1 in Borg's format, otherwise the number of stanzas with padding."""
    payload_bytes: int


def encode_stmf(container: SealedContainer) -> bytes:
    """Encodes a container. The header's keys are sorted, as Go writes a map, and there are no spaces."""
    wrapped = container.wrapped
    header: dict[str, object] = {
        "algorithm": _FOR_ONE if wrapped is None else _FOR_SEVERAL,
        "ephemeral_pk": to_base64(container.ephemeral_public_key),
    }
    if wrapped is not None:
        header |= {
            "keys": [to_base64(stanza) for stanza in wrapped.stanzas],
            "mac": to_base64(wrapped.mac),
        }
    text = json.dumps(header | {"version": _VERSION}, separators=(",", ":")).encode()
    fixed = STMF_MAGIC + struct.pack(">BI", _CONTAINER_VERSION, len(text))
    return b"".join((fixed, text, container.payload))


def decode_stmf(data: bytes) -> SealedContainer:
    """Parses a container without decrypting it. Raises `StmfError`."""
    header, payload = _read_container(data)
    algorithm = header.get("algorithm")
    if algorithm not in (_FOR_ONE, _FOR_SEVERAL):
        raise _unsupported("algorithm", _FOR_ONE)
    if header.get("version") != _VERSION:
        raise _unsupported("version", _VERSION)
    ephemeral = _bytes_of(header.get("ephemeral_pk"), KEY_BYTES)
    if ephemeral is None:
        raise StmfError("container_invalid", f"ephemeral_pk is not the base64 of {KEY_BYTES} bytes")
    if algorithm == _FOR_ONE:
        return SealedContainer(ephemeral, payload)
    return SealedContainer(ephemeral, payload, _wrapped_keys(header))


def read_info(data: bytes) -> SealedInfo:
    """The readable part of a container, even one with an unknown algorithm. Raises `StmfError`."""
    header, payload = _read_container(data)
    keys = header.get("keys")
    return SealedInfo(
        algorithm=_text_of(header.get("algorithm")),
        version=_text_of(header.get("version")),
        ephemeral_public_key=_bytes_of(header.get("ephemeral_pk"), KEY_BYTES),
        recipients_max=len(keys) if isinstance(keys, list) else 1,
        payload_bytes=len(payload),
    )


def container_from_base64(text: str) -> bytes:
    """Decodes a container from base64, as form posts contain it. The size is checked before decoding."""
    if len(text) > _BASE64_CHARS_MAX:
        raise too_large(f"{len(text)} characters of base64")
    data = from_base64(text)
    if data is None:
        raise StmfError("container_invalid", "not canonical base64")
    return data


def too_large(what: str) -> StmfError:
    return StmfError(
        "container_too_large", f"{what}: a container has at most {CONTAINER_BYTES_MAX} bytes"
    )


def _read_container(data: bytes) -> tuple[Mapping[str, object], bytes]:
    if len(data) > CONTAINER_BYTES_MAX:
        raise too_large(f"a container of {len(data)} bytes")
    if len(data) < _FIXED_BYTES:
        raise StmfError("container_invalid", "shorter than a container's fixed header")
    if data[:4] != STMF_MAGIC:
        raise StmfError("container_invalid", "does not begin with STMF")
    version, length = struct.unpack_from(">BI", data, 4)
    if version != _CONTAINER_VERSION:
        raise StmfError(
            "container_unsupported", f"container version {version}, expected {_CONTAINER_VERSION}"
        )
    if length > _HEADER_BYTES_MAX:
        limit = f"the limit is {_HEADER_BYTES_MAX}"
        raise StmfError("container_too_large", f"the header has {length} bytes, {limit}")
    if length > len(data) - _FIXED_BYTES:
        raise StmfError("container_invalid", "the header is truncated")
    header = parse_json(data[_FIXED_BYTES : _FIXED_BYTES + length], max_depth=_HEADER_DEPTH_MAX)
    if not isinstance(header, dict):
        raise StmfError("container_invalid", "the header is not a JSON object")
    return header, data[_FIXED_BYTES + length :]


def _wrapped_keys(header: Mapping[str, object]) -> WrappedKeys:
    keys, mac = header.get("keys"), _bytes_of(header.get("mac"), MAC_BYTES)
    given = keys if isinstance(keys, list) else []
    stanzas = [
        stanza for stanza in (_bytes_of(key, STANZA_BYTES) for key in given) if stanza is not None
    ]
    if not 1 <= len(given) <= RECIPIENTS_MAX or len(stanzas) != len(given) or mac is None:
        wanted = f"keys must be 1 to {RECIPIENTS_MAX} stanzas of {STANZA_BYTES} bytes"
        raise StmfError("container_invalid", f"{wanted}, and mac must have {MAC_BYTES} bytes")
    return WrappedKeys(stanzas, mac)


def _text_of(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _bytes_of(value: object, length: int) -> bytes | None:
    data = from_base64(value) if isinstance(value, str) else None
    return data if data is not None and len(data) == length else None


def _unsupported(part: str, expected: str) -> StmfError:
    return StmfError("container_unsupported", f"the header's {part} must be {expected}")
