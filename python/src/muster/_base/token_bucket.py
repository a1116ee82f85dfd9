"""A rate with bursts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class TokenRate(NamedTuple):
    """A bucket earns `tokens` in each period of `per` seconds, and holds at most `most`."""

    tokens: float
    per: float
    most: float


@dataclass(slots=True)
class TokenBucket:
    """How much may be done now, by a clock that is never set."""

    rate: TokenRate
    tokens: float
    at: float

    def take(self, now: float) -> bool:
        """Take one token; False if the bucket does not hold one."""
        earned = max(0.0, now - self.at) / self.rate.per * self.rate.tokens
        tokens = min(self.rate.most, self.tokens + earned)
        self.at = now
        self.tokens = tokens - 1 if tokens >= 1 else tokens
        return tokens >= 1


def full_bucket(rate: TokenRate, now: float) -> TokenBucket:
    """Return a full bucket."""
    return TokenBucket(rate, rate.most, now)
