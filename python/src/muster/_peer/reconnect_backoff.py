"""When a peer dials again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muster._base.backoff import backoff_pause, full_jitter
from muster._protocol.constants import RECONNECT_DELAY_MAX

if TYPE_CHECKING:
    from muster._protocol.inbound_types import Reconnect

RECONNECT_BASE = 0.5
RECONNECT_CAP = 30.0
STABLE_SESSION_MIN = 60.0
"""A session of this length was stable: the next backoff starts from the beginning."""


class ReconnectBackoff:
    """Computes it from the position that the mesh assigned, the time of the last disconnect, and the failures since."""

    def __init__(self) -> None:
        self._position: Reconnect | None = None
        self._disconnected_at: float | None = None
        self.failures = 0
        """Failures in a row; sessions shorter than `STABLE_SESSION_MIN` count as failures."""

    def set_position(self, position: Reconnect | None) -> None:
        """Set the position that a `welcome` assigned; None if it assigned none."""
        self._position = position

    def update_position(self, position: Reconnect | None) -> None:
        """Set the position that a `disconnect` assigned; None keeps the present one."""
        self._position = position or self._position

    def next_delay(
        self, session_length: float | None, now: float, chance: float, *, is_fault: bool = True
    ) -> float:
        """Return the delay before the next dial.

        `session_length` is how long the ended session was active; None if the dial failed. `is_fault` is False when the mesh ended the
        session because it restarts: that is no failure.
        """
        is_stable = session_length is not None and session_length >= STABLE_SESSION_MIN
        self.failures = self.failures + 1 if is_fault and not is_stable else 0
        # The end of a stable session resets the count to 0, and is itself the first failure.
        failures = max(1, self.failures)
        if session_length is not None:
            self._disconnected_at = now
        elif self._position is not None and self._disconnected_at is not None:
            since = max(0.0, now - self._disconnected_at)
            return delay_after_failed_dial(self._position, since, chance)
        position = None if session_length is None else self._position
        return delay_after_disconnect(position, failures, chance)


def delay_after_disconnect(position: Reconnect | None, failures: int, chance: float) -> float:
    """Return the delay after a session ended, the `failures`-th time in a row: the position's delay plus full jitter."""
    waits = 0.0 if position is None else _position_delay(position)
    jitter = full_jitter(backoff_pause(RECONNECT_BASE, RECONNECT_CAP, failures), chance)
    return min(waits + jitter, RECONNECT_DELAY_MAX)


def delay_after_failed_dial(position: Reconnect, since_disconnect: float, chance: float) -> float:
    """Return the delay after a dial that failed because the mesh is not back yet.

    The peers with earlier positions have failed too, one after another over the time since the disconnect. Spreading each peer's next
    dial over that same time again keeps the total rate as it was. The spread grows up to the position's delay, or to half the ordinary
    cap for early positions: if many peers all retried within the cap, they would exceed the rate.
    """
    longest = max(RECONNECT_CAP / 2, _position_delay(position))
    spread = max(RECONNECT_BASE, min(since_disconnect, longest))
    return min(spread * (1 + chance), RECONNECT_DELAY_MAX)


def _position_delay(position: Reconnect) -> float:
    """Return how long after a disconnect the peer's position in the reconnect order comes up."""
    return min(position.slot / position.per_second, RECONNECT_DELAY_MAX)
