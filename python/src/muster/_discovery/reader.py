"""Finds peers and opens their records, at the mesh or at any copy of its discovery."""

from __future__ import annotations

import inspect
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from muster._answers.discovery import DiscoveryKeys, PeerRecord
from muster._answers.read import Mismatch, read
from muster._client.options import check_options, seconds_of
from muster._crypto.identity import PrivateKey, identity_from
from muster._discovery.discovered_peers import DiscoverPorts
from muster._discovery.epochs import keys_of_epoch, pointer_id_of, reader_token
from muster._discovery.errors import Degraded, DiscoveryError, DiscoveryIncomplete
from muster._discovery.feed import discover_peers
from muster._discovery.options import DiscoverOnceOptions, DiscoverOptions, PeerFound
from muster._discovery.peer_records import open_resolved
from muster._discovery.rollback_guard import RollbackGuard
from muster._discovery.sources import DiscoverySources, is_unauthorized
from muster._discovery.statements import Verifier
from muster._http.api import new_http_client
from muster._http.urls import api_base
from muster.errors import MusterApiError, OptionsError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from types import TracebackType

    import httpx
    from typing_extensions import Self, Unpack

    from muster._answers.discovery import PointerList, PointerView
    from muster._discovery.options import Discovered, KeySource
    from muster._discovery.sources import Check

T = TypeVar("T")

DIRECTORY_AGE_MAX = 3_600.0
"""How old a signed list of peers may be: 12 times the interval at which the mesh renews the directory of its replicas."""


@dataclass(frozen=True, slots=True)
class DiscoveredPeersResult:
    """The peers that could be read, and what could not."""

    peers: tuple[PeerRecord, ...]
    degraded: Degraded | None
    """None when every published peer was read: then peers that are not in `peers` do not match, or do not exist."""


class DiscoveryReader:
    """Finds peers and opens their records. It trusts signatures only, never the server that returned the data.

    - `url`: URLs of the mesh and of replicas. The next one is asked if one fails, or returns older data than was read before.
    - `keys`: the keys of a member: `peer.discovery_keys`, or `mesh.discovery.keys` (a function is asked again for new epochs).
    - `max_age`: how long ago the mesh may have signed a list of peers, in seconds; default 1 h.
    - `client`: an `httpx.AsyncClient` of the program, which closes it.

    Use it with `async with`, or call `close`.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        keys: KeySource,
        *,
        max_age: float = DIRECTORY_AGE_MAX,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        urls = [url] if isinstance(url, str) else list(url)
        if not urls:
            raise OptionsError("`url` is empty: give the URL of a mesh or a replica")
        if not seconds_of("max_age", max_age, 0) > 0:
            raise OptionsError("`max_age` is not a number of seconds above 0")
        self._key_source = keys if callable(keys) else _keys_in(keys)
        for each in urls:
            api_base(each)  # raises if the URL is not that of a mesh
        self._max_age = float(max_age)
        self._client = new_http_client() if client is None else client
        self._is_own = client is None
        self._sources = DiscoverySources(urls, self._reader_token, self._client)
        self._keys: DiscoveryKeys | None = None
        self._guard: RollbackGuard | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._is_own:
            await self._client.aclose()

    async def resolve(self, pointer: PointerView, key: PrivateKey | None = None) -> PeerRecord:
        """The record that a pointer leads to, once signature, sequence, blob and ID are verified.

        `key` opens a pointer of an epoch whose keys this reader does not have. Raises `DiscoveryError`.
        """
        guard = await self._rollback_guard()
        guard.accept_pointer(pointer, time.time())
        return await self._record_of(pointer, key)

    async def _record_of(self, pointer: PointerView, key: PrivateKey | None = None) -> PeerRecord:
        """The record of a pointer that was accepted."""
        if key is None:
            private_key, secret = await self._keys_of(pointer.epoch)
        else:
            private_key, secret = identity_from(key).private_key, None

        def open_blob(blob: bytes | None) -> PeerRecord:
            return open_resolved(pointer, blob, private_key, secret)

        return await self._sources.blob(pointer.blob_id, open_blob) or open_blob(None)

    async def find(self, peer_id: str) -> PeerRecord | None:
        """The record of a peer by its ID; None if the peer is not published. Raises if no source can tell."""
        asked: set[int] = set()
        found = await self._find_under(await self._current_keys(), peer_id, asked)
        if found is not None:
            return found
        # Without any keys no source was asked yet.
        if not asked:
            await self._with_fresh_keys(lambda check: self._sources.list({"limit": 1}, check))
        guard = await self._rollback_guard()
        if all(epoch in asked for epoch in guard.epochs):
            return None
        # It may be published under an epoch that is newer than the keys.
        newest = await self._find_under(await self._refresh_keys(), peer_id, asked)
        for epoch in guard.epochs:
            if epoch not in asked:
                await self._keys_of(epoch)
        return newest

    async def peers(self, **options: Unpack[DiscoverOnceOptions]) -> DiscoveredPeersResult:
        """The peers that match, once: all that could be read, and in `degraded` what could not.

        Raises only when not even a part of the list can be read.
        """
        check_options("discovery.peers", options, DiscoverOnceOptions)
        try:
            peers = [
                change.peer
                async for change in self._discover(options)
                if isinstance(change, PeerFound)
            ]
        except DiscoveryIncomplete as error:
            return DiscoveredPeersResult(error.peers, error.degraded)
        return DiscoveredPeersResult(tuple(peers), None)

    def discover(self, **options: Unpack[DiscoverOptions]) -> AsyncGenerator[Discovered, None]:
        """The peers that match; with `follow` also their changes, until the iteration is given up.

        Without `follow` it raises `DiscoveryIncomplete` after the last peer when some published peers could not be read; with `follow` it
        yields `degraded` then, and `recovered` later.
        """
        check_options("discovery.discover", options, DiscoverOptions)
        return self._discover(options)

    def _discover(self, options: Any) -> AsyncGenerator[Discovered, None]:
        async def list_page(query: Any) -> PointerList:
            return await self._with_fresh_keys(lambda check: self._sources.list(query, check))

        ports = DiscoverPorts(
            list=list_page,
            distrust_last=self._sources.distrust_last,
            resolve=self.resolve,
            guard=self._rollback_guard,
        )
        return discover_peers(ports, options)

    async def _find_under(
        self, keys: DiscoveryKeys, peer_id: str, asked: set[int]
    ) -> PeerRecord | None:
        """Look a peer up under the epochs that were not asked before."""
        guard = await self._rollback_guard()

        def accept(pointer: PointerView) -> None:
            guard.accept_pointer(pointer, time.time())

        for each in reversed(keys.epochs):
            if each.epoch in asked:
                continue
            asked.add(each.epoch)
            _, secret = await self._keys_of(each.epoch)
            pointer_id = pointer_id_of(secret, peer_id)

            async def read_pointer(
                check: Check, pointer_id: str = pointer_id
            ) -> PointerView | None:
                return await self._sources.pointer(pointer_id, check, accept)

            pointer = await self._with_fresh_keys(read_pointer)
            if pointer is not None:
                return await self._record_of(pointer)
        return None

    async def _with_fresh_keys(self, work: Callable[[Check], Awaitable[T]]) -> T:
        """Read with a check of each list: that it is signed, and not older than what was read before or than allowed."""
        guard = await self._rollback_guard()

        def check(page: PointerList) -> None:
            guard.accept_list(page, time.time(), self._max_age)

        try:
            return await work(check)
        except MusterApiError as error:
            # The reader token belongs to an epoch: after a 401, try again with the newest keys.
            if not is_unauthorized(error):
                raise
        await self._refresh_keys()
        return await work(check)

    async def _rollback_guard(self) -> RollbackGuard:
        if self._guard is None:
            keys = await self._current_keys()
            guard = RollbackGuard(Verifier(bytes.fromhex(keys.signing_key)))
            # Another call may have made one meanwhile.
            self._guard = getattr(self, "_guard", None) or guard
        return self._guard

    async def _current_keys(self) -> DiscoveryKeys:
        if self._keys is None:
            self._keys = await self._load_keys()
        return self._keys

    async def _refresh_keys(self) -> DiscoveryKeys:
        before = self._keys
        keys = self._keys = await self._load_keys()
        # The first keys pin the signing key: another signing key would mean another mesh.
        if before is not None and before.signing_key != keys.signing_key:
            detail = "the mesh's signing key differs from the one read first"
            raise DiscoveryError("signing_key_changed", detail)
        return keys

    async def _load_keys(self) -> DiscoveryKeys:
        if isinstance(self._key_source, DiscoveryKeys):
            return self._key_source
        keys = self._key_source()
        return _keys_in(await keys if inspect.isawaitable(keys) else keys)

    async def _keys_of(self, epoch: int) -> tuple[bytes, bytes]:
        keys = keys_of_epoch(await self._current_keys(), epoch)
        if keys is None:
            keys = keys_of_epoch(await self._refresh_keys(), epoch)
        if keys is None:
            raise DiscoveryError("epoch_unknown", f"no keys of epoch {epoch}")
        return keys

    async def _reader_token(self) -> str | None:
        epochs = (await self._current_keys()).epochs
        return reader_token(bytes.fromhex(epochs[-1].pointer_secret)) if epochs else None


def _keys_in(given: object) -> DiscoveryKeys:
    if isinstance(given, DiscoveryKeys):
        return given
    try:
        return read(DiscoveryKeys, given)
    except Mismatch:
        text = "`keys` are the discovery keys of a controller or a peer, or a function that returns them"
        raise OptionsError(text) from None
