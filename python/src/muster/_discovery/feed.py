"""Yields the peers that match, then their changes.

A peer that is published under two epochs for a while counts once. Public metadata only narrows the search at the server; the opened
record decides whether a peer matches.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from muster._discovery.discovered_peers import DiscoveredPeers, DiscoverPorts
from muster._discovery.errors import (
    Degraded,
    DiscoveryFailure,
    DiscoveryIncomplete,
    list_failure,
)
from muster._discovery.options import Discovered, DiscoveryDegraded, DiscoveryRecovered
from muster.errors import MusterError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping

    from muster._answers.discovery import PointerList

_FOLLOW_INTERVAL = 15.0
_FOLLOW_PATIENCE = 300.0
"""Longer than a deployment takes, or than a replica takes to receive a new epoch."""
_PAGE_SIZE = 100
_FILTERS = ("role", "capability", "kind", "region", "min_score")


async def discover_peers(
    ports: DiscoverPorts, options: Mapping[str, Any]
) -> AsyncGenerator[Discovered, None]:
    """See the module."""
    reader = _ListReader(ports, options)
    async for change in reader.list_all():
        yield change
    missing = reader.degraded(None)
    if not options.get("follow"):
        if missing is not None:
            raise DiscoveryIncomplete(reader.peers.found, missing)
        return
    report = _DegradedReport()
    for change in report.changes(missing):
        yield change
    answered_at = time.monotonic()
    while True:
        await asyncio.sleep(options.get("interval", _FOLLOW_INTERVAL))
        failure: BaseException | None = None
        try:
            async for change in reader.update():
                yield change
            answered_at = time.monotonic()
        except MusterError as error:
            # Another signing key would mean another mesh.
            is_final = error.code == "signing_key_changed"
            patience = options.get("patience", _FOLLOW_PATIENCE)
            if is_final or time.monotonic() >= answered_at + patience:
                raise
            failure = error.__cause__ if isinstance(error, DiscoveryIncomplete) else error
        for change in report.changes(reader.degraded(failure)):
            yield change


class _ListReader:
    """Reads the list of pointers, and opens their records."""

    def __init__(self, ports: DiscoverPorts, options: Mapping[str, Any]) -> None:
        self.peers = DiscoveredPeers(ports, options)
        self._ports = ports
        self._filter = {name: options[name] for name in _FILTERS if options.get(name) is not None}
        self._is_narrowed = bool(self._filter)
        """Whether the server narrows the list by public metadata. Then the list can't be compared with the totals."""
        self._since: str | None = None
        """The position up to which changes were read; None while the list must be read from its beginning."""
        self._withheld = 0
        """Pointers that the mesh lists and no source returned."""

    async def list_all(self) -> AsyncGenerator[Discovered, None]:
        """Read the whole list, from another source if one returns less than the mesh has signed.

        What could not be opened is tried once more, after the changes that happened meanwhile: a peer that left is not missing. Raises
        when the first page can't be read.
        """
        while True:
            async for change in self._list_once():
                yield change
            if self._withheld == 0 or not self._ports.distrust_last():
                break
        # What is withheld is asked for again from the beginning.
        if self._withheld > 0:
            self._since = None

    async def update(self) -> AsyncGenerator[Discovered, None]:
        """Read what has changed, and try again to open what could not be opened."""
        if self._since is not None:
            async for change in self.peers.resolve_pending():
                yield change
            async for change in self._read_changes(self._since, is_list=False):
                yield change
        if self._since is None or self._withheld > 0:
            async for change in self.list_all():
                yield change

    def degraded(self, failure: BaseException | None) -> Degraded | None:
        """What can't be read; None when everything can. `failure` is the error of the last attempt to read the list."""
        failures, missing = self.peers.failures, self.peers.missing
        if failure is not None:
            return Degraded(None, (list_failure(failure), *failures))
        if missing + self._withheld == 0:
            return None
        if self._withheld > 0:
            failures = (_withheld_failure(self._withheld), *failures)
        return Degraded(missing + self._withheld, failures)

    async def _list_once(self) -> AsyncGenerator[Discovered, None]:
        self._since = None
        self.peers.begin_list()
        first = page = await self._list({}, is_part=False)
        async for change in self.peers.apply(page):
            yield change
        shows_metadata = _shows_metadata(page)
        while page.next_cursor is not None:
            page = await self._list({"cursor": page.next_cursor}, is_part=True)
            shows_metadata = shows_metadata or _shows_metadata(page)
            async for change in self.peers.apply(page):
                yield change
        if self._is_narrowed and not shows_metadata and self.peers.listed < _listed_in_all(page):
            # Without public metadata no pointer may be left out. The same goes for the statement that none matches.
            self._is_narrowed = False
            async for change in self._list_once():
                yield change
            return
        async for change in self._finish(first, page):
            yield change

    async def _finish(
        self, first: PointerList, last: PointerList
    ) -> AsyncGenerator[Discovered, None]:
        """Read what has changed since the first page, if something has, and what could not be opened."""
        if last.checkpoint.seq != first.checkpoint.seq or self.peers.missing > 0:
            async for change in self._read_changes(first.since, is_list=True):
                yield change
            async for change in self.peers.resolve_pending():
                yield change
        else:
            self._settle(last)
            self._since = first.since
        if self._withheld == 0:
            for change in self.peers.end_list():
                yield change

    async def _read_changes(
        self, position: str, *, is_list: bool
    ) -> AsyncGenerator[Discovered, None]:
        since = position
        while True:
            page = await self._list({"since": since}, is_part=is_list)
            async for change in self.peers.apply(page):
                yield change
            since = self._since = page.since
            if page.next_cursor is None:
                break
        self._settle(page)
        if not is_list and self._withheld == 0:
            for change in self.peers.gone():
                yield change

    def _settle(self, page: PointerList) -> None:
        """`page` is the last one of a list: the pointers that are known now are compared with what the mesh says is listed."""
        self._withheld = 0 if self._is_narrowed else self.peers.withheld(page.totals)

    async def _list(self, position: Mapping[str, Any], *, is_part: bool) -> PointerList:
        """One page. Once something was read, `is_part`, an error says that the list is incomplete."""
        narrowed = self._filter if self._is_narrowed else {}
        try:
            return await self._ports.list({**narrowed, "limit": _PAGE_SIZE, **position})
        except MusterError as error:
            if not is_part:
                raise
            degraded = Degraded(None, (list_failure(error), *self.peers.failures))
            raise DiscoveryIncomplete(self.peers.found, degraded) from error


def _shows_metadata(page: PointerList) -> bool:
    return any(each.metadata for each in page.pointers)


def _listed_in_all(page: PointerList) -> int:
    return 0 if page.totals is None else sum(each.listed for each in page.totals.epochs)


def _withheld_failure(entries: int) -> DiscoveryFailure:
    detail = "the mesh has published more peers than any source lists"
    return DiscoveryFailure("list_incomplete", detail, entries)


class _DegradedReport:
    """Turns what can't be read into changes: one when it begins or changes, and one when it ends."""

    def __init__(self) -> None:
        self._reported: object = None

    def changes(self, degraded: Degraded | None) -> Iterator[Discovered]:
        # Without the details, which may differ from one attempt to the next.
        state = degraded and (
            degraded.missing,
            sorted((each.code, each.entries) for each in degraded.failures),
        )
        if state == self._reported:
            return
        self._reported = state
        if degraded is None:
            yield DiscoveryRecovered()
        else:
            yield DiscoveryDegraded(degraded.missing, degraded.failures)
