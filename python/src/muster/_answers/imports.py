"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """`ImportView` of the API."""

    id: str
    state: Literal["open", "committed"]
    parts: int
    """How many parts have arrived."""
    state_hash: str
    """The state hash that the backup states."""
