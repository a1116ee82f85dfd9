"""The addresses of listening peers, which the mesh dials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muster._answers.dials import DialList, DialView
from muster._client.admin_options import DialOptions
from muster._client.listing import Listing, listing
from muster._client.options import check_options
from muster._client.requests import with_body
from muster._crypto.identity import public_key_hex
from muster._http.api import segment

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from muster._http.api import Api


class DialsClient:
    """The addresses of listening peers, which the mesh dials."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self) -> Listing[DialView]:
        """Every registered address, with the state of its connection."""
        return listing(self._api, DialList, "v1/dials", {}, lambda page: page.dials)

    async def put(self, url: str, **options: Unpack[DialOptions]) -> DialView:
        """Register the ws:// or wss:// URL of a listening peer.

        The mesh dials it now, and again whenever the peer is disconnected. A second call with the same URL dials at once.
        """
        check_options("dials.put", options, DialOptions)
        body: dict[str, Any] = {"url": url}
        if "name" in options:
            body["name"] = options["name"]
        if "public_key" in options:
            body["public_key"] = public_key_hex(options["public_key"], "`public_key`")
        return await self._api.read(DialView, with_body("POST", "v1/peers", body, idempotent=True))

    async def remove(self, dial_id: str) -> None:
        """Remove an address by the ID of its entry, and end the session that was dialed from it."""
        await self._api.remove(f"v1/dials/{segment(dial_id)}")
