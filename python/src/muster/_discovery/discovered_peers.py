"""The peers found so far, by their pointers and by their IDs."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muster._base.times import unix_seconds
from muster._discovery.errors import failures_of
from muster._discovery.options import PeerFound, PeerGone
from muster._discovery.sources import is_outage
from muster._protocol.constants import EVERY_KIND
from muster._stmf.errors import StmfError
from muster.errors import MusterError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping

    from muster._answers.discovery import ListedTotals, PeerRecord, PointerList, PointerView
    from muster._discovery.errors import DiscoveryFailure
    from muster._discovery.options import Discovered
    from muster._discovery.rollback_guard import RollbackGuard

_CONCURRENT_RESOLVES = 8
"""Records that are fetched and opened at once."""
_FAILED_BATCHES_MAX = 3
"""After this many batches in a row of which no source returned a record, the others are not tried: each may take seconds."""


@dataclass(frozen=True, slots=True)
class DiscoverPorts:
    """What a search needs of its reader."""

    list: Callable[[Mapping[str, Any]], Awaitable[PointerList]]
    distrust_last: Callable[[], bool]
    """Ask the source of the last list after the others for a while. False when no other one is left."""
    resolve: Callable[[PointerView], Awaitable[PeerRecord]]
    guard: Callable[[], Awaitable[RollbackGuard]]


class DiscoveredPeers:
    """What the pages of a list, and of its changes, make of what was known."""

    def __init__(self, ports: DiscoverPorts, options: Mapping[str, Any]) -> None:
        self._ports = ports
        self._options = options
        self._listed: dict[str, int] = {}
        """The epoch of every pointer that a list contained, opened or not, by pointer ID."""
        self._by_pointer: dict[str, tuple[str, int]] = {}
        """The peer and epoch of each opened pointer that matches, by pointer ID."""
        self._yielded: dict[str, PeerRecord] = {}
        """The record that was yielded last, by peer ID."""
        self._unopened: dict[str, tuple[PointerView, BaseException]] = {}
        """Pointers whose record could not be opened, by pointer ID."""

    @property
    def found(self) -> tuple[PeerRecord, ...]:
        """The peers that match, as they were yielded last."""
        return tuple(self._yielded.values())

    @property
    def listed(self) -> int:
        """How many pointers are listed."""
        return len(self._listed)

    @property
    def missing(self) -> int:
        """How many listed pointers have records that could not be opened."""
        return len(self._unopened)

    @property
    def failures(self) -> tuple[DiscoveryFailure, ...]:
        """Why they could not."""
        return failures_of(error for _, error in self._unopened.values())

    def withheld(self, totals: ListedTotals | None) -> int:
        """How many pointers fewer are known than the mesh lists. Those of an epoch that has expired are not listed any more."""
        known = list(self._listed.values())
        now = time.time()
        return sum(
            max(0, each.listed - known.count(each.epoch))
            for each in (() if totals is None else totals.epochs)
            if (unix_seconds(each.expires_at) or 0) > now
        )

    def begin_list(self) -> None:
        """The list is read from its beginning. What was found before remains until `end_list`."""
        self._listed.clear()
        self._unopened.clear()

    def end_list(self) -> Iterator[Discovered]:
        """The whole list was applied: a pointer that was not in it has disappeared."""
        for pointer_id in self._by_pointer.keys() - self._listed.keys():
            del self._by_pointer[pointer_id]
        yield from self.gone()

    async def apply(self, page: PointerList) -> AsyncGenerator[Discovered, None]:
        """Apply one page of pointers or changes."""
        guard = await self._ports.guard()
        for pointer in page.pointers:
            self._listed[pointer.id] = pointer.epoch
        async for change in self._resolve_all(page.pointers):
            yield change
        for removal in page.removed:
            # An unsigned removal means: the pointer exists but no longer matches. A server could hide a pointer in any case.
            if removal.signature is not None and not guard.accepts_removal(removal):
                continue
            self._listed.pop(removal.id, None)
            self._by_pointer.pop(removal.id, None)
            self._unopened.pop(removal.id, None)
        self._drop_ended_epochs(page.checkpoint.epochs)

    async def resolve_pending(self) -> AsyncGenerator[Discovered, None]:
        """Try again to open what could not be opened before."""
        async for change in self._resolve_all([pointer for pointer, _ in self._unopened.values()]):
            yield change

    def gone(self) -> Iterator[Discovered]:
        """The peers that have no pointer any more."""
        present = {peer_id for peer_id, _ in self._by_pointer.values()}
        for peer_id in [each for each in self._yielded if each not in present]:
            del self._yielded[peer_id]
            yield PeerGone(peer_id)

    def _drop_ended_epochs(self, epochs: tuple[int, ...]) -> None:
        self._listed = {key: epoch for key, epoch in self._listed.items() if epoch in epochs}
        self._by_pointer = {
            key: value for key, value in self._by_pointer.items() if value[1] in epochs
        }
        self._unopened = {
            key: value for key, value in self._unopened.items() if value[0].epoch in epochs
        }

    async def _resolve_all(
        self, pointers: Iterable[PointerView]
    ) -> AsyncGenerator[Discovered, None]:
        waiting = list(pointers)
        failed_batches = 0
        last_error: BaseException | None = None
        for at in range(0, len(waiting), _CONCURRENT_RESOLVES):
            batch = waiting[at : at + _CONCURRENT_RESOLVES]
            if failed_batches >= _FAILED_BATCHES_MAX and last_error is not None:
                for pointer in batch:
                    self._fail(pointer, last_error)
                continue
            opened = await asyncio.gather(*(self._resolve(pointer) for pointer in batch))
            errors = [each for each in opened if isinstance(each, BaseException)]
            is_out = len(errors) == len(batch) and all(map(is_outage, errors))
            failed_batches = failed_batches + 1 if is_out else 0
            last_error = errors[-1] if errors else None
            for pointer, peer in zip(batch, opened, strict=True):
                if not isinstance(peer, BaseException):
                    for change in self._found(pointer, peer):
                        yield change

    async def _resolve(self, pointer: PointerView) -> PeerRecord | BaseException:
        try:
            peer = await self._ports.resolve(pointer)
        except (MusterError, StmfError) as error:
            self._fail(pointer, error)
            return error
        self._unopened.pop(pointer.id, None)
        return peer

    def _fail(self, pointer: PointerView, error: BaseException) -> None:
        self._unopened[pointer.id] = (pointer, error)
        on_ignored = self._options.get("on_ignored")
        if on_ignored is not None:
            on_ignored(pointer, error)

    def _found(self, pointer: PointerView, peer: PeerRecord) -> Iterator[Discovered]:
        if not _matches(peer, self._options):
            self._by_pointer.pop(pointer.id, None)
            return
        self._by_pointer[pointer.id] = (peer.id, pointer.epoch)
        if self._yielded.get(peer.id) == peer:
            return
        self._yielded[peer.id] = peer
        yield PeerFound(peer)


def _matches(peer: PeerRecord, options: Mapping[str, Any]) -> bool:
    tests: Mapping[str, Callable[[Any], bool]] = {
        "role": lambda role: peer.role == role,
        "capability": lambda label: label in peer.capabilities,
        "kind": lambda kind: kind in peer.kinds or EVERY_KIND in peer.kinds,
        "region": lambda region: peer.region == region,
        "min_score": lambda score: peer.score >= score,
    }
    return all(test(options[name]) for name, test in tests.items() if options.get(name) is not None)
