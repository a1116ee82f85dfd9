"""Pauses that grow with each failure in a row, and their jitter. Times are seconds."""

from __future__ import annotations

import math

_STEPS_MAX = 40
"""Steps after which every maximum is reached: keeps the power finite."""


def backoff_pause(initial: float, longest: float, failures: int) -> float:
    """Return the pause after so many failures in a row, without jitter: `initial` after the first, then doubled."""
    steps = min(max(0, failures - 1), _STEPS_MAX)
    return float(min(longest, initial * 2**steps))


# Jitter spreads what failed together, so that it does not return together. "Full" and "equal" jitter are the terms of
# M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015). `random` is in [0, 1).


def full_jitter(pause: float, random: float) -> float:
    """Evenly between 0 and the pause: the widest spread, for many clients that compete for one server."""
    return pause * random


def equal_jitter(pause: float, random: float) -> float:
    """Evenly between half the pause and the pause: for retries that must not happen at once."""
    return pause * (0.5 + random / 2)


def quarter_jitter(pause: float, random: float) -> float:
    """A quarter more or less than the pause: for long pauses whose length the documentation states."""
    return pause * (0.75 + random / 2)


def is_seconds(value: object) -> bool:
    """Whether a value is a finite time, 0 or more."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and value >= 0
    )
