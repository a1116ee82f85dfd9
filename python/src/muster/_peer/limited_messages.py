"""Keeps what a program lets its peer say within the mesh's limits by message type."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Literal

from muster._base.token_bucket import TokenBucket, TokenRate, full_bucket

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from muster._connection.connection import Connection

_Limited = Literal["advert", "announce", "rtts"]
_LIMITS: dict[_Limited, TokenRate] = {
    "advert": TokenRate(1, 60.0, 1),
    "announce": TokenRate(1, 1.0, 30),
    "rtts": TokenRate(1, 10.0, 6),
}


class LimitedMessages:
    """A mesh closes a session that exceeds its limits again and again.

    Adverts and reports above a limit are not sent; announcements are joined and sent a moment later.
    """

    def __init__(self, active: Callable[[], Connection | None]) -> None:
        self._active = active
        self._connection: Connection | None = None
        self._buckets: dict[_Limited, TokenBucket] = {}
        self._unsent: dict[str, Any] = {}
        self._timer: asyncio.TimerHandle | None = None

    def send(self, message_type: Literal["advert", "rtts"], payload: Mapping[str, Any]) -> bool:
        """Send a message. False if there is no session, or the limit leaves no room for it."""
        connection = self._take(message_type)
        return connection is not None and connection.send(message_type, payload) is not None

    def announce(self, changes: Mapping[str, Any]) -> bool:
        """Announce changes, now or within a second. Later changes replace those that are not sent yet."""
        self._begin()
        if self._connection is None:
            return False
        self._unsent.update(changes)
        self._flush()
        return True

    def _begin(self) -> None:
        """A new session begins with full buckets, and with all that there is to announce."""
        connection = self._active()
        if connection is self._connection:
            return
        self._connection = connection
        self._buckets.clear()
        self._unsent = {}
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flush(self) -> None:
        if self._timer is not None:
            return
        connection = self._take("announce")
        if connection is not None:
            connection.send("announce", self._unsent)
            self._unsent = {}
        else:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_LIMITS["announce"].per, self._timer_fired)

    def _timer_fired(self) -> None:
        self._timer = None
        if self._connection is not None and self._active() is self._connection:
            self._flush()

    def _take(self, message_type: _Limited) -> Connection | None:
        self._begin()
        if self._connection is None:
            return None
        now = time.monotonic()
        bucket = self._buckets.setdefault(message_type, full_bucket(_LIMITS[message_type], now))
        return self._connection if bucket.take(now) else None
