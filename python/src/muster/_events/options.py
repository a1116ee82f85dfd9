"""Which events, and from where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypedDict

from muster._answers.events import EventView


class EventFilterOptions(TypedDict, total=False):
    """Which events; an event meets every condition that is given."""

    types: Sequence[str]
    """Beginnings of types: `task.`, `peer.revoked`."""
    kind: str
    """The kind of the task, or of the circuit."""
    owner: str
    """The owner of the task."""
    peer: str
    """The ID of the peer."""
    tasks: Sequence[str]
    """The IDs of tasks, at most 100."""


class EventOptions(EventFilterOptions, total=False):
    """The options of `events`."""

    after: str
    """The `id` of the last event that the program has, or `oldest` for all that the mesh has kept. Default: the events to come."""
    outage: float
    """How long the iteration goes on while the mesh gives no answer, in seconds; see `controller`."""


@dataclass(frozen=True, slots=True)
class GapEvent:
    """Events may be missing before the next one: the program reads the states anew."""

    id: str
    """The position after the gap."""
    reason: Literal["overwritten", "unknown_position", "other_mesh"]
    after: str
    """The position that the mesh could not continue from."""
    type: Literal["gap"] = "gap"


MeshEvent: TypeAlias = EventView | GapEvent
"""What `events` yields: a change that the mesh committed, or a gap."""
