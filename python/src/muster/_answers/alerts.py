"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """`AlertView` of the API."""

    alert: Literal[
        "peer_down",
        "mass_failure",
        "circuit_open",
        "storage",
        "queue_old",
        "queue_long",
        "cell_down",
        "cell_messages",
    ]
    """The type of the alert."""
    key: str
    """The type and the subject: the same subject has the same key each time."""
    peer: str | None
    """The peer that it is about; null for none."""
    kind: str | None
    """The kind that it is about; null for none."""
    cell: int | None = None
    """The cell that it is about; absent for none."""
    since: str
    """Since when something is wrong; RFC 3339, UTC."""
    value: float
    """What was measured when it fired: seconds, peers, tasks, or a share of 1."""
    threshold: float
    """The setting that it is compared with."""
    message: str
    """What is wrong, for people."""
    fired_at: str
    """When it fired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertList:
    """`AlertList` of the API."""

    alerts: tuple[AlertView, ...]
    """Those that have fired for longest first."""
    missing_cells: tuple[int, ...] | None = None
    """The cells of the mesh that did not answer.

    What they have is not in this answer. Absent when every cell has answered.
    """
