"""Notices that another process uses the key of this peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muster._base.backoff import backoff_pause, quarter_jitter
from muster._connection.end import Dropped, Refused
from muster._peer.reconnect_backoff import STABLE_SESSION_MIN

if TYPE_CHECKING:
    from muster._connection.end import ConnectionEnd

KEY_IN_USE_BASE = 5.0
KEY_IN_USE_CAP = 300.0
_REFUSED = "key_in_use:"
"""How the close reason begins by which the mesh refuses a peer whose key another process uses."""


class KeyInUse:
    """The mesh says so, or a session of this peer was superseded soon after it began.

    The peer then tries again after a growing pause, instead of ending the other's session in turn.
    """

    def __init__(self) -> None:
        self._times = 0

    def pause_after(
        self, end: ConnectionEnd, session_length: float | None, chance: float, asked: float = 0.0
    ) -> float | None:
        """Return the pause after the end of a connection if another process uses the key; None otherwise.

        `session_length`: how long the session was active; None if there was none. `asked`: the pause that the mesh has asked for.
        """
        if not _is_key_in_use(end, session_length):
            if session_length is not None and session_length >= STABLE_SESSION_MIN:
                self._times = 0
            return None
        self._times += 1
        pause = backoff_pause(KEY_IN_USE_BASE, KEY_IN_USE_CAP, self._times)
        return max(asked, quarter_jitter(pause, chance))


def _is_key_in_use(end: ConnectionEnd, session_length: float | None) -> bool:
    if isinstance(end, Dropped):
        return end.reason.startswith(_REFUSED)
    if not isinstance(end, Refused) or end.error.code != "superseded":
        return False
    return session_length is not None and session_length < STABLE_SESSION_MIN
