"""The accepts of the last seconds: those whose offer has not lapsed yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCEPT_RETRIES_MAX = 2
"""How often an accept is sent again when the mesh answers `unavailable`."""


@dataclass(frozen=True, slots=True)
class SentAccept:
    """An accept that may be sent again."""

    message: Mapping[str, Any]
    until: float
    """The offer lapses at this time."""
    retries: int = 0


class RecentAccepts:
    """Accepts by message ID, in the order of sending."""

    def __init__(self) -> None:
        self._accepts: dict[str, SentAccept] = {}

    def add(self, message_id: str, accept: SentAccept, now: float) -> None:
        """Note an accept that was sent."""
        while self._accepts:
            oldest = next(iter(self._accepts))
            if self._accepts[oldest].until > now:
                break
            del self._accepts[oldest]
        self._accepts[message_id] = accept

    def take_for_retry(self, message_id: str, delay: float, now: float) -> SentAccept | None:
        """Return the accept to send again after `delay`; None if the message was none, or it is too late, or was sent often enough."""
        accept = self._accepts.pop(message_id, None)
        if accept is None or accept.retries >= ACCEPT_RETRIES_MAX or now + delay >= accept.until:
            return None
        return replace(accept, retries=accept.retries + 1)

    def clear(self) -> None:
        """Forget all."""
        self._accepts.clear()
