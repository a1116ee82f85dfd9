"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """`ScoreFactors.latency` of the API."""

    raw: float | None
    """The measured value; null if it was never measured."""
    unit: Literal["ms", "share", "hops", "km"]
    normalised: float
    """1 is best; 0.5 if nothing is known."""
    known: float
    """How much of the value is based on measurements."""
    weight: float
    part: float
    """Its contribution to the score: weight times normalised."""
    age_seconds: float | None
    """The age of the newest measurement; null if there is none."""
    samples: float
    """The number of samples; for outcomes, their decayed count."""
    source: str
    """Where the value comes from, in words: who measured it, and by what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFactors:
    """`ScoreView.factors` of the API."""

    latency: Factor
    reliability: Factor
    hops: Factor
    distance: Factor


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreOutcomes:
    """The outcomes of attempts, with a half-life of one hour."""

    successes: float
    failures: float
    timeouts: float
    refusals: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRtt:
    """`ScoreView.rtt` of the API."""

    smoothed_ms: float
    variance_ms: float
    min_ms: float
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTime:
    """`ScoreView.service_times` of the API."""

    kind: str
    mean_ms: float
    samples: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreView:
    """`ScoreView` of the API."""

    peer_id: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    score: float
    confidence: float
    factors: ScoreFactors
    outcomes: ScoreOutcomes
    """The outcomes of attempts, with a half-life of one hour."""
    failure_risk: float
    """The expected share of failed attempts."""
    uptime: float | None
    """The share of time connected, weighted towards recent time."""
    rtt: ScoreRtt | None
    service_times: tuple[ServiceTime, ...]
    """The mean duration of tasks by kind, for the most frequent kinds."""
