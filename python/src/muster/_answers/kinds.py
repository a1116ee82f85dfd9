"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSettingsRate:
    """`KindSettingsView.rate` of the API."""

    per_second: float
    burst: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSettingsView:
    """`KindSettingsView` of the API."""

    kind: str
    attempt_timeout_seconds: float | None = None
    """How long an attempt may take, for tasks that are submitted without a value of their own."""
    concurrency: int | None = None
    """Tasks of the kind that peers have at once."""
    rate: KindSettingsRate | None = None
    """How many tasks of the kind are offered per second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSettingsList:
    """`KindSettingsList` of the API."""

    kinds: tuple[KindSettingsView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindLoadView:
    """`KindLoadView` of the API."""

    kind: str
    waiting: int
    """Queued tasks that may be offered now."""
    scheduled: int
    """Queued tasks that may be offered later."""
    running: int
    """Tasks that peers hold."""
    load: int
    """Waiting and running tasks: what an autoscaler divides by the tasks of one worker."""
    oldest_wait_seconds: float
    """How long the oldest waiting task has waited; 0 if there is none."""
    missing_cells: tuple[int, ...] | None = None
    """The cells of the mesh that did not answer.

    What they have is not in this answer. Absent when every cell has answered.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class KindStats:
    """`TaskStats.kinds` of the API."""

    kind: str
    waiting: int
    """Queued tasks."""
    running: int
    """Tasks that peers have."""
    oldest_wait_seconds: float | None
    """How long the queued task that may be offered since the longest time waits."""
    settings: KindSettingsView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerStatsLimits:
    """`OwnerStats.limits` of the API."""

    weight: int
    """The owner's share of the peers, compared with the weights of other owners."""
    max_waiting: int
    max_running: int | None
    """Tasks of the owner that peers have at once; null: no limit."""
    max_priority: int | None
    """The highest priority that the owner's tasks may have; null: no limit."""
    max_bytes: int | None = None
    """Bytes of the owner's tasks that have not ended: their payloads and requirements, and 1,024
    for each; null: an eighth of the database.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerStats:
    """`TaskStats.owners` of the API."""

    owner: str
    label: str | None
    waiting: int
    """Queued tasks."""
    running: int
    """Tasks that peers have."""
    oldest_wait_seconds: float | None
    """How long the queued task that may be offered since the longest time waits."""
    bytes: int = 0
    """Bytes of the owner's tasks that have not ended."""
    limits: OwnerStatsLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStats:
    """`TaskStats` of the API."""

    waiting: int
    """Queued tasks."""
    running: int
    """Tasks that peers have."""
    oldest_wait_seconds: float | None
    """How long the queued task that may be offered since the longest time waits."""
    queue_max: int
    kinds: tuple[KindStats, ...]
    owners: tuple[OwnerStats, ...]
    truncated: bool
    """Whether there are more than 100 kinds or owners; those with the most tasks are listed."""
    missing_cells: tuple[int, ...] | None = None
    """The cells of the mesh that did not answer.

    What they have is not in this answer. Absent when every cell has answered.
    """
