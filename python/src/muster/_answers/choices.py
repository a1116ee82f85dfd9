"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyCells:
    """`WhyView.cells` of the API."""

    cell: int
    """The cell that has the task."""
    considered: tuple[int, ...]
    """The cells that were compared when it was submitted, the better one first, and the one that it
    has moved to.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """`Contender.cost.0` of the API."""

    rtt_ms: float
    wait_ms: float
    """The expected time until a slot is free."""
    service_ms: float
    failure_ms: float
    """The cost of a failure times its risk."""
    loss_ms: float
    """The cost of losing the peer during the task times its risk."""
    total_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ContenderInputs:
    """The values that the choice used."""

    score: float
    rtt_ms: float | None
    rtt_variance_ms: float | None
    successes: float
    failures: float
    timeouts: float
    refusals: float
    outcomes_at: str
    """RFC 3339, UTC."""
    service_ms: float | None
    service_samples: float
    connected_at: str | None
    """RFC 3339, UTC."""
    share: float
    near_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """`WhyView.contenders` of the API."""

    peer_id: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    chosen: bool
    worth: float
    """The cost as a score: 1 / (1 + cost / mean cost); under best-score, the score."""
    held_back_by: tuple[
        Literal["circuit_not_closed", "no_free_slot", "failed_before", "over_share"], ...
    ]
    """Why it ranks behind other peers, independent of its cost."""
    cost: Cost | None
    held: int
    slots: int
    inputs: ContenderInputs
    """The values that the choice used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyExcluded:
    """`WhyView.excluded` of the API."""

    peer_id: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyDraws:
    """`WhyView.draws` of the API."""

    lot: float
    venture: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyView:
    """`WhyView` of the API."""

    task_id: str
    cells: WhyCells | None = None
    """Absent in a mesh of one cell."""
    attempt: int | None
    """Null if the task has not been assigned yet."""
    at: str
    """RFC 3339, UTC."""
    policy: Literal["expected-cost", "best-score"]
    chosen: str | None
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    by: Literal["measure", "newcomer", "probe", "near", "load"] | None
    """`measure`: the policy's measure; `newcomer`: a peer without history, for exploration; `near`:
    the nearest of the best peers; `load`: the least loaded of the peers whose cost is comparable to
    the best one's.
    """
    waits_because: str | None = None
    """Why a queued task waits, in words; null if only tasks before it delay it, or if it is not
    queued.
    """
    reproduced: bool
    """Whether recomputing the choice from the stored values gives the same peer."""
    eligible: int
    """How many peers could have received the task."""
    mean_cost_ms: float | None
    contenders: tuple[Contender, ...]
    """The chosen peer and the best of the others, the best first."""
    ruled_out: Mapping[str, int]
    """How many connected peers each rule excluded."""
    excluded: tuple[WhyExcluded, ...]
    """Some of the excluded peers."""
    draws: WhyDraws
    constants: Mapping[str, Any]
    """The policy's constants at that time."""
