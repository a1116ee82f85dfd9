"""Which peers to find, and what is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypedDict

from muster._answers.discovery import DiscoveryKeys, PeerRecord, PointerView
from muster._answers.names import Region

GivenKeys: TypeAlias = DiscoveryKeys | Mapping[str, Any]
"""Discovery keys: those of a controller, or those of a peer (`peer.discovery_keys`)."""
KeySource: TypeAlias = GivenKeys | Callable[[], GivenKeys | Awaitable[GivenKeys]]
"""Discovery keys, or a function that returns them. The function is called again when an epoch's keys are missing."""


class DiscoverOnceOptions(TypedDict, total=False):
    """Which peers to find. A condition that is left out matches every peer."""

    role: Literal["controller", "worker", "dual"]
    capability: str
    """A label that the peer must have."""
    kind: str
    """Only peers that handle this kind of task."""
    region: Region
    min_score: float
    """0 to 1."""
    on_ignored: Callable[[PointerView, BaseException], Any]
    """Called for a pointer whose record does not verify, or can't be opened yet."""


class DiscoverOptions(DiscoverOnceOptions, total=False):
    """The options of `discover`."""

    follow: bool
    """After the present peers, yields changes until the iteration is given up. Default False."""
    interval: float
    """How often `follow` asks for changes, in seconds; default 15."""
    patience: float
    """How long `follow` continues while requests fail, in seconds; then it raises the error. Default 300."""


@dataclass(frozen=True, slots=True)
class PeerFound:
    """A matching peer is new, or its record has changed."""

    peer: PeerRecord
    type: Literal["found"] = "found"


@dataclass(frozen=True, slots=True)
class PeerGone:
    """A peer that was found no longer matches."""

    id: str
    type: Literal["gone"] = "gone"


@dataclass(frozen=True, slots=True)
class DiscoveryDegraded:
    """Something can't be read, or something else than before. What was found before still counts, but may be outdated."""

    missing: int | None
    """How many published entries could not be opened; None if it is unknown because the list can't be read."""
    failures: tuple[Any, ...]
    """`DiscoveryFailure`s."""
    type: Literal["degraded"] = "degraded"


@dataclass(frozen=True, slots=True)
class DiscoveryRecovered:
    """Everything can be read again."""

    type: Literal["recovered"] = "recovered"


Discovered: TypeAlias = PeerFound | PeerGone | DiscoveryDegraded | DiscoveryRecovered
