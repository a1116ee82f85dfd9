"""Standard Webhooks 1.0.0, symmetric signatures (`v1`, HMAC-SHA256).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from muster._base.bytes import from_base64, to_base64
from muster._crypto.hashes import equal_constant_time, hmac_sha256
from muster.errors import MusterApiError, OptionsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIGNATURE_TOLERANCE = 300.0
"""How far a signed time may be from the receiver's clock, in seconds."""

_SECRET_BYTES_MIN = 24
_SECRET_BYTES_MAX = 64
_SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of every secret
_KEY_PREFIX = re.compile(r"wh(?:sec|pk|sk)_")
_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,256}")
"""Visible ASCII without `.`, which separates the parts of the signed text."""
_UNIX_SECONDS = re.compile(r"0|[1-9][0-9]{0,11}")
_NAMES = ("id", "timestamp", "signature")
_PREFIXES = ("webhook", "svix")
"""Svix, which Standard Webhooks came from, still sends headers of its own."""
_SIGNATURES_MAX = 16
_SIGNATURE_HEADER_CHARS_MAX = 2_048
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class _Claim:
    """What the headers of a delivery claim. The MAC proves it."""

    id: str
    timestamp: str
    signatures: Sequence[str]


def secret_of(key: bytes) -> str:
    """The secret for these bytes in the notation of Standard Webhooks."""
    return _SECRET_PREFIX + to_base64(key)


def mac_key(secret: str) -> bytes:
    """The key of a secret. Raises `OptionsError`, without the secret in its text."""
    encoded = secret.removeprefix(_SECRET_PREFIX)
    # A second prefix, or that of another kind of key, is base64url as well.
    key = None if _KEY_PREFIX.match(encoded) else _from_any_base64(encoded)
    if key is None:
        raise OptionsError(
            "a Standard Webhooks secret must be base64 or base64url, with or without the prefix whsec_; "
            "encode a secret that is plain text with base64 first"
        )
    if not _SECRET_BYTES_MIN <= len(key) <= _SECRET_BYTES_MAX:
        size = f"{_SECRET_BYTES_MIN} to {_SECRET_BYTES_MAX} bytes; this one has {len(key)}"
        raise OptionsError(f"a Standard Webhooks secret must be the base64 of {size}")
    return key


def sign(key: bytes, delivery_id: str, timestamp: str, body: bytes) -> str:
    """One signature."""
    mac = hmac_sha256(key, f"{delivery_id}.{timestamp}.".encode() + body)
    return f"v1,{to_base64(mac)}"


def verify(
    keys: Sequence[bytes], header: Callable[[str], str | None], body: bytes, now: float
) -> str:
    """The ID of a delivery that one of the keys has signed. Raises `MusterApiError`.

    The time is checked last: before, it is not authenticated.
    """
    claim = _claim_of(header)
    signatures = [each.encode() for each in claim.signatures]
    # All are compared, so that the time does not depend on which one matches.
    matches = [
        equal_constant_time(signature, sign(key, claim.id, claim.timestamp, body).encode())
        for key in keys
        for signature in signatures
    ]
    if not any(matches):
        raise _invalid("no signature matches the body and this source's secret")
    late = now - int(claim.timestamp)
    if abs(late) > SIGNATURE_TOLERANCE:
        where = "behind" if late > 0 else "ahead of"
        limit = f"more than the allowed {SIGNATURE_TOLERANCE:.0f} s"
        detail = f"the signed time is {abs(late):.0f} s {where} this machine's clock, {limit}"
        raise MusterApiError("signature_stale", _UNAUTHORIZED, detail)
    return claim.id


def _claim_of(header: Callable[[str], str | None]) -> _Claim:
    # The set that decides is `webhook` unless only headers of Svix are there. The two are never mixed.
    prefix = next(
        (each for each in _PREFIXES if any(header(f"{each}-{name}") for name in _NAMES)),
        _PREFIXES[0],
    )
    values = {name: header(f"{prefix}-{name}") or "" for name in _NAMES}
    missing = [f"{prefix}-{name}" for name, value in values.items() if value == ""]
    if missing:
        detail = f"missing headers: {', '.join(missing)}"
        raise MusterApiError("signature_missing", _UNAUTHORIZED, detail)
    if not _ID.fullmatch(values["id"]):
        raise _invalid(f"{prefix}-id must be 1 to 256 visible ASCII characters other than '.'")
    if not _UNIX_SECONDS.fullmatch(values["timestamp"]):
        raise _invalid(f"{prefix}-timestamp must be a whole number of Unix seconds")
    signatures = values["signature"].split(" ")
    is_long = len(values["signature"]) > _SIGNATURE_HEADER_CHARS_MAX
    if is_long or len(signatures) > _SIGNATURES_MAX:
        limit = f"{_SIGNATURES_MAX} signatures in {_SIGNATURE_HEADER_CHARS_MAX} characters"
        raise _invalid(f"{prefix}-signature must contain at most {limit}")
    return _Claim(values["id"], values["timestamp"], signatures)


def _invalid(detail: str) -> MusterApiError:
    return MusterApiError("signature_invalid", _UNAUTHORIZED, detail)


def _from_any_base64(text: str) -> bytes | None:
    """The bytes of base64 or base64url, with or without padding; None for any other text. The two alphabets are not mixed."""
    is_url = "-" in text or "_" in text
    if is_url and ("+" in text or "/" in text):
        return None
    digits = re.sub(r"={0,2}\Z", "", text)
    if text != digits and len(text) % 4 != 0:
        return None
    standard = digits.replace("-", "+").replace("_", "/")
    return from_base64(standard + "=" * (-len(standard) % 4))
