"""Ends a connection from this side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muster._connection.end import (
    ConnectionEnd,
    Dropped,
    Refused,
    end_of_close,
)
from muster._protocol import close_codes
from muster.errors import PeerError

if TYPE_CHECKING:
    from websockets.exceptions import ConnectionClosed

    from muster._connection.failure import ConnectFailure


class EndConnection(Exception):  # noqa: N818 - how a connection ends, not an error of a program
    """Ends the connection from this side."""

    def __init__(self, end: ConnectionEnd, code: int, reason: str) -> None:
        super().__init__(reason)
        self.end = end
        self.code = code
        self.reason = reason


def end_of(error: ConnectionClosed) -> ConnectionEnd:
    """Return how a connection ended whose socket is closed."""
    if error.rcvd is not None:
        return end_of_close(error.rcvd.code, error.rcvd.reason)
    if error.sent is not None:
        return Dropped(error.sent.code, error.sent.reason)
    return Dropped(close_codes.ABNORMAL, "")


def dropped(code: int, reason: str) -> EndConnection:
    """The peer drops the connection, and dials again."""
    return EndConnection(Dropped(code, reason), code, reason)


def failed(failure: ConnectFailure) -> EndConnection:
    """No session began."""
    return EndConnection(
        Dropped(close_codes.ABNORMAL, failure.message, failure), close_codes.NORMAL, ""
    )


def unproved(text: str) -> EndConnection:
    """The server did not prove its key."""
    error = PeerError("mesh_unproved", text)
    return EndConnection(Refused(error), close_codes.HANDSHAKE, error.code)


def skewed(reason: str) -> Dropped:
    """The clocks differ, and nothing corrects that."""
    return Dropped(close_codes.ABNORMAL, f"clock_skew: {reason}")
