"""The public keys that a mesh admits, and those that it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muster._answers.admission import AllowEntry, AllowList, DenyEntry, DenyList
from muster._client.admin_options import AllowOptions, DenyFilter
from muster._client.listing import Listing, listing
from muster._client.options import check_options
from muster._client.requests import with_body
from muster._crypto.identity import public_key_hex
from muster._http.api import segment

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from muster._http.api import Api


class AllowlistClient:
    """The public keys that a mesh in auth mode `allowlist` admits."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self) -> Listing[AllowEntry]:
        """Every entry of the allowlist."""
        return listing(self._api, AllowList, "v1/allowlist", {}, lambda page: page.entries)

    async def put(self, public_key: str | bytes, **options: Unpack[AllowOptions]) -> AllowEntry:
        """Add a public key, or replace its entry."""
        check_options("allowlist.put", options, AllowOptions)
        request = with_body("PUT", _path_of(public_key), options)
        return await self._api.read(AllowEntry, request)

    async def remove(self, public_key: str | bytes) -> None:
        """Remove a public key. In auth mode `allowlist` this ends the peer's session."""
        await self._api.remove(_path_of(public_key))


class DenylistClient:
    """The keys that a mesh refuses in every auth mode. `peers.revoke` adds one."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self, **conditions: Unpack[DenyFilter]) -> Listing[DenyEntry]:
        """Every key that is barred, the newest entry first."""
        check_options("denylist.list", conditions, DenyFilter)
        return listing(self._api, DenyList, "v1/denylist", conditions, lambda page: page.entries)

    async def remove(self, id_or_key: str) -> None:
        """Lift the revocation of a key, which is named by its peer's ID or by itself (hex).

        It may connect again as the auth mode and its allowlist entry say. A rotated key stays barred.
        """
        await self._api.remove(f"v1/denylist/{segment(id_or_key)}")


def _path_of(public_key: str | bytes) -> str:
    return f"v1/allowlist/{public_key_hex(public_key, 'a public key')}"
