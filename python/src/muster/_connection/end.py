"""How a connection ended, and what that means for its peer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from muster._protocol import close_codes
from muster.errors import PeerError, PeerErrorCode

if TYPE_CHECKING:
    from muster._connection.failure import ConnectFailure


@dataclass(frozen=True, slots=True)
class Refused:
    """The mesh refused the peer; dialing again would have the same result."""

    error: PeerError

    @property
    def reason(self) -> str:
        """The error's text."""
        return str(self.error)


@dataclass(frozen=True, slots=True)
class Dismissed:
    """The mesh has ended the session in good order, and the peer stays away."""

    reason: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """The connection failed or was closed; dial again after a delay."""

    code: int
    reason: str
    failure: ConnectFailure | None = None
    """Why no session began, if that is known."""


@dataclass(frozen=True, slots=True)
class Skewed:
    """The mesh's clock differs from this machine's by `clock_offset` seconds: dial again at once, corrected by it."""

    clock_offset: float
    reason: str


ConnectionEnd = Refused | Dismissed | Dropped | Skewed

_DRAINED = "drained:"
"""How the close reason of a session begins that ends with the drain of its peer."""


def end_of_close(code: int, reason: str) -> ConnectionEnd:
    """Return what a close code means.

    After 4403 (denied) and 4409 (superseded) the peer does not reconnect: the mesh has barred it, or a newer session of the same key is
    active and reconnecting would end that session in turn.
    """
    if code == close_codes.NORMAL and reason.startswith(_DRAINED):
        return Dismissed(reason)
    if code == close_codes.DENIED:
        return Refused(_denial(reason))
    if code == close_codes.SUPERSEDED:
        text = _with_reason("a newer session of this key took over", reason)
        return Refused(PeerError("superseded", text))
    return Dropped(code, reason)


_DENIALS = {
    "not_allowed": "the mesh does not admit this peer",
    "revoked": "the mesh has revoked this peer",
    "rotated": "this key was replaced by a newer key of the peer",
    "join_key_invalid": "the join key is unknown, expired, revoked or used up",
    "downgrade_refused": "this key has connected by muster.2 and may not connect by go-p2p",
}


def _denial(reason: str) -> PeerError:
    """The mesh's close reasons begin with an error code."""
    word = reason.split(":", 1)[0]
    code = cast("PeerErrorCode", word if word in _DENIALS else "not_allowed")
    return PeerError(code, _with_reason(_DENIALS[code], reason))


def _with_reason(meaning: str, reason: str) -> str:
    return meaning if reason == "" else f"{meaning} ({reason})"
