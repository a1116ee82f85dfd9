"""How long a message was on its way, also if the mesh's clock and this machine's differ."""

from __future__ import annotations

import math
import time
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_BUCKET = 60.0
"""How long one bucket of observations counts, and then as long again."""


class MessageAge:
    """Estimates it by the least difference between arrival and timestamp of the last minutes in which any message came.

    That is the difference of a message that was hardly delayed (as the minimum filter of NTP, RFC 5905 section 10). A process that was
    stopped, or a connection that stalled, receives old messages at once.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._current = math.inf
        self._previous = math.inf
        self._bucket_until = -math.inf

    def arrived(self, timestamp: str) -> float:
        """Note a message that has just arrived, by its timestamp (RFC 3339). Returns how long it was delayed, about."""
        now = self._monotonic()
        sent_at = _seconds_of(timestamp)
        if sent_at is None:
            return 0.0
        difference = now - sent_at
        if now >= self._bucket_until:
            # However long nothing came: what was known before a stall is what tells that it was one.
            self._previous = self._current
            self._current = math.inf
            self._bucket_until = now + _BUCKET
        least = min(self._current, self._previous, difference)
        self._current = min(self._current, difference)
        return difference - least


def _seconds_of(timestamp: str) -> float | None:
    """Python before 3.11 reads neither `Z` nor fractions of another length than 3 or 6 digits."""
    whole, _, rest = timestamp.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    zone = rest[digits:] if rest else ""
    if not rest:
        whole, zone = timestamp[:19], timestamp[19:]
    try:
        at = datetime.fromisoformat(whole + zone.replace("Z", "+00:00"))
        return at.timestamp() + (float(f"0.{rest[:digits]}") if digits else 0.0)
    except (ValueError, OverflowError):
        return None
