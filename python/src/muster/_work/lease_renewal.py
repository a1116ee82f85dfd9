"""Renews the lease of one attempt."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Any

from muster._base.cut_text import cut_text
from muster._protocol.constants import LEASE_MAX, PROGRESS_MESSAGE_CHARS_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RENEWALS_PER_LEASE = 3
"""The loss of one message does not lose the lease."""
RENEWAL_INTERVAL_MIN = 0.1
"""A lease is not renewed more often than this, however short the mesh says that it is."""
PROGRESS_INTERVAL = 1.0
"""Progress is sent at most this often; of faster reports only the newest is sent."""


def bounded_progress(fraction: float | None, message: str | None) -> dict[str, Any]:
    """Return a handler's report within the protocol's limits: a fraction clamped to 0..1, a message cut to its maximum length."""
    progress: dict[str, Any] = {}
    if isinstance(fraction, int | float) and math.isfinite(fraction):
        progress["progress"] = min(1.0, max(0.0, float(fraction)))
    if message is not None:
        progress["message"] = cut_text(str(message), PROGRESS_MESSAGE_CHARS_MAX)
    return progress


class LeaseRenewal:
    """Sends progress several times per lease, and sooner when the handler reports some, but at most once per `PROGRESS_INTERVAL`."""

    def __init__(self, lease: float, send: Callable[[Mapping[str, Any]], None]) -> None:
        self._send = send
        self._interval = _interval(lease)
        self._latest: dict[str, Any] = {}
        self._sent_at = -math.inf  # the first report is sent at once
        self._timer: asyncio.TimerHandle | None = None
        self._schedule(self._interval)

    def report(self, progress: Mapping[str, Any]) -> None:
        """Send the handler's progress, now or as soon as `PROGRESS_INTERVAL` allows."""
        self._latest.update(progress)
        delay = self._sent_at + PROGRESS_INTERVAL - time.monotonic()
        if delay <= 0:
            self.renew()
        else:
            self._schedule(delay)

    def renew(self) -> None:
        """Renew at once: after a reconnect the remaining time of the lease is unknown."""
        self._sent_at = time.monotonic()
        self._schedule(self._interval)
        self._send(self._latest)

    def set_lease(self, lease: float) -> None:
        """Set the lease of a newer attempt that continues the same work."""
        self._interval = _interval(lease)
        self._schedule(self._interval)

    def stop(self) -> None:
        """The attempt has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self, delay: float) -> None:
        self.stop()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(min(delay, self._interval), self.renew)


def _interval(lease: float) -> float:
    """Return how often a lease is renewed. The mesh names its length, which must not make a timer fire without a pause."""
    return max(RENEWAL_INTERVAL_MIN, min(lease, LEASE_MAX) / RENEWALS_PER_LEASE)
