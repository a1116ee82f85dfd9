"""Finds the peers of a mesh by their published pointers, and opens their sealed records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muster._answers.discovery import DiscoveryKeys, PeerRecord, PointerList, PointerView
from muster._client.listing import Listing, listing
from muster._discovery.reader import DIRECTORY_AGE_MAX, DiscoveredPeersResult, DiscoveryReader
from muster._http.api import ApiRequest, segment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    import httpx
    from typing_extensions import Unpack

    from muster._crypto.identity import PrivateKey
    from muster._discovery.options import Discovered, DiscoverOnceOptions, DiscoverOptions
    from muster._http.api import Api

_BLOB_BYTES_MAX = 65_536


class DiscoveryClient:
    """Finds the peers of a mesh by their published pointers, and opens their sealed records."""

    def __init__(self, api: Api, client: httpx.AsyncClient) -> None:
        self._api = api
        self._client = client
        self._reader = self.with_replicas()

    async def keys(self) -> DiscoveryKeys:
        """The keys that find and open peer records. For tokens of scope `admin` and `controller`."""
        return await self._api.read(DiscoveryKeys, ApiRequest(path="v1/discovery/keys"))

    async def find(self, peer_id: str) -> PeerRecord | None:
        """The record of a peer, verified and opened; None if the peer is not published. Raises if that can't be read."""
        return await self._reader.find(peer_id)

    async def resolve(self, pointer: PointerView, key: PrivateKey | None = None) -> PeerRecord:
        """The record that a pointer leads to, verified and opened; raises `DiscoveryError` if it does not verify."""
        return await self._reader.resolve(pointer, key)

    async def peers(self, **options: Unpack[DiscoverOnceOptions]) -> DiscoveredPeersResult:
        """The peers that match, once, and in `degraded` what could not be read."""
        return await self._reader.peers(**options)

    def discover(self, **options: Unpack[DiscoverOptions]) -> AsyncGenerator[Discovered, None]:
        """The peers that match; with `follow` also their changes, until the iteration is given up.

        What can't be read is reported: as `DiscoveryIncomplete`, raised after the last peer, or with `follow` as a change `degraded`.
        """
        return self._reader.discover(**options)

    def with_replicas(
        self, replicas: Sequence[str] = (), *, max_age: float = DIRECTORY_AGE_MAX
    ) -> DiscoveryReader:
        """A reader that queries these replicas in order, then the mesh itself."""
        urls = [*replicas, self._api.base]
        return DiscoveryReader(urls, self.keys, max_age=max_age, client=self._client)

    def pointers(self) -> Listing[PointerView]:
        """Every published pointer, unverified, as the mesh lists it."""
        return listing(self._api, PointerList, "v1/pointers", {}, lambda page: page.pointers)

    async def pointer(self, pointer_id: str) -> PointerView:
        """One published pointer by its ID, unverified."""
        path = f"v1/pointers/{segment(pointer_id)}"
        return await self._api.read(PointerView, ApiRequest(path=path))

    async def blob(self, blob_id: str) -> bytes:
        """The bytes of a sealed peer record, unopened."""
        headers = {"accept": "application/octet-stream"}
        path = f"v1/blobs/{segment(blob_id)}"
        request = ApiRequest(path=path, headers=headers, max_bytes=_BLOB_BYTES_MAX)
        return (await self._api.send(request)).body
