"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFiguresPeers:
    """`CellFigures.peers` of the API."""

    connected: int
    """Peers that are connected."""
    known: int
    """Peers with a record in this cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFiguresTasks:
    """`CellFigures.tasks` of the API."""

    waiting: int
    """Queued tasks."""
    running: int
    """Tasks that peers hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFiguresDatabase:
    """`CellFigures.database` of the API."""

    used_bytes: int
    """Size of the cell's database, without free pages."""
    limit_bytes: int
    """`STORAGE_LIMIT_MB`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFiguresWaiting:
    """`CellFigures.waiting` of the API."""

    cell: int
    """The cell that they are for."""
    messages: int
    """How many wait."""
    oldest_wait_seconds: float
    """How long the oldest has waited."""
    first: str
    """The type of the first one. The others wait until it is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFiguresLeft:
    """`CellFigures.left` of the API."""

    peers: int
    """Peers, and entries of the lists of keys, that other cells do not have yet."""
    open_tasks: int
    """Tasks that have not ended."""
    ended_tasks: int
    """Ended tasks, which stay until their retention is over."""
    keys: int
    """Idempotency keys, which stay for 30 days."""
    forwards: int
    """Tasks that went to other cells, and where they went."""
    uploads: int
    """Results that peers began to upload."""
    deliveries: int
    """Webhook deliveries, which stay for 7 days."""
    audit: int
    """Entries of the audit log, which cell 0 gets."""
    messages: int
    """Messages that other cells have not taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFiguresMoving:
    """`CellFigures.moving` of the API."""

    cells: int
    """Cells from which not everything has moved that belongs to this one."""
    peers: int
    """Peers, and entries of the lists of keys, that were still in them at the last look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFigures:
    """`CellView.figures.0` of the API."""

    topology_version: int
    """The version of the topology that the cell knows."""
    peers: CellFiguresPeers
    tasks: CellFiguresTasks
    database: CellFiguresDatabase
    messages: int
    """Messages for other cells that were not taken yet."""
    waiting: tuple[CellFiguresWaiting, ...] | None = None
    """The cells that they are for; absent when none waits."""
    left: CellFiguresLeft | None = None
    """What a draining cell still has: it is removed once all of these are 0.

    Absent of any other cell.
    """
    moving: CellFiguresMoving


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """`CellView` of the API."""

    cell: int
    """The number of the cell."""
    state: Literal["active", "draining", "removed"]
    """`active`: has its share of peers and tasks; `draining`: gets no more, and gives away what it
    has; `removed`: has nothing.
    """
    answers: bool
    """Whether the cell answers; a removed one is not asked."""
    figures: CellFigures | None
    """Null of a cell that does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsView:
    """`CellsView` of the API."""

    wanted: int
    """How many cells the operator wants (`CELLS`)."""
    topology_version: int
    """The version of the topology, which grows with every change; 0: there always was one cell."""
    changing: bool
    """Whether a change of the number of cells is in progress: a cell drains, does not know the
    newest topology, or waits for peers and keys of another cell.
    """
    cells: tuple[CellView, ...]
    """All cells, by their numbers."""
