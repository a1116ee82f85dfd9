"""The secret for one large result, which mesh and peer share, and the tickets that are made with it.

The mesh sends the secret in the peer's session, and it never travels over HTTP: the bytes of the result are sealed with it, and the ticket
that goes over HTTP is only a MAC made with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from muster._base.bytes import to_base64
from muster._crypto.hashes import hmac_sha256, sha256

_SECRET = re.compile(r"([0-9a-f]{32})\.([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class ResultSecret:
    """The secret of one result, and the peer that it belongs to."""

    peer_id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResultContent:
    """What a session names of the bytes of a result: their number, and the base64 of their SHA-256."""

    bytes: int
    sha256: str


def content_of(data: bytes) -> ResultContent:
    """Return what a session names of these bytes."""
    return ResultContent(len(data), to_base64(sha256(data)))


def read_result_secret(text: str) -> ResultSecret | None:
    """Return the secret of a message's text, a peer ID and the secret in hex; None if it has another form."""
    found = _SECRET.fullmatch(text)
    return None if found is None else ResultSecret(found[1], bytes.fromhex(found[2]))


def upload_ticket(secret: ResultSecret, content: ResultContent) -> str:
    """Return the bearer token of the upload of exactly these bytes."""
    statement = f"upload ticket {content.bytes} {content.sha256}"
    mac = hmac_sha256(secret.secret, statement.encode()).hex()
    return f"{secret.peer_id}.{content.bytes}.{content.sha256}.{mac}"


def download_ticket(secret: ResultSecret) -> str:
    """Return the bearer token with which a peer reads the result of a task that it submitted over its session."""
    return f"{secret.peer_id}.{hmac_sha256(secret.secret, b'read ticket').hex()}"
