"""Bytes and their texts."""

from __future__ import annotations

import base64
import binascii
import re

_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")


def from_hex(text: str) -> bytes | None:
    """Return the bytes of a text in hex; None for any other text."""
    return bytes.fromhex(text) if _HEX.fullmatch(text) else None


def to_base64(data: bytes) -> str:
    """Return the bytes in base64, padded."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes | None:
    """Return the bytes of a text in padded base64; None for any other text."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if to_base64(data) == text else None


def utf8_or_none(data: bytes) -> str | None:
    """Return the text of the bytes; None if they are not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None
