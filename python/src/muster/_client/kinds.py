"""The settings of kinds of tasks, and how much of each there is to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muster._answers.kinds import KindLoadView, KindSettingsList, KindSettingsView
from muster._client.admin_options import KindOptions
from muster._client.listing import Listing, listing
from muster._client.options import check_options
from muster._client.requests import with_body
from muster._http.api import ApiRequest, segment

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from muster._http.api import Api


class KindsClient:
    """The settings of kinds of tasks, and how much of each there is to do."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self) -> Listing[KindSettingsView]:
        """Every kind that has settings."""
        return listing(self._api, KindSettingsList, "v1/kinds", {}, lambda page: page.kinds)

    async def get(self, kind: str) -> KindSettingsView:
        """The settings of a kind."""
        return await self._api.read(KindSettingsView, ApiRequest(path=_path_of(kind)))

    async def load(self, kind: str) -> KindLoadView:
        """How many tasks of a kind wait and run, of all owners. A kind without a task has zeros."""
        return await self._api.read(KindLoadView, ApiRequest(path=f"{_path_of(kind)}/load"))

    async def put(self, kind: str, **options: Unpack[KindOptions]) -> KindSettingsView:
        """Replace the settings of a kind: what is absent is not set."""
        check_options("kinds.put", options, KindOptions)
        body: dict[str, Any] = {
            "attempt_timeout_seconds": options.get("attempt_timeout_seconds"),
            "concurrency": options.get("concurrency"),
            "rate": options.get("rate"),
        }
        return await self._api.read(KindSettingsView, with_body("PUT", _path_of(kind), body))

    async def remove(self, kind: str) -> None:
        """Remove the settings of a kind."""
        await self._api.remove(_path_of(kind))


def _path_of(kind: str) -> str:
    return f"v1/kinds/{segment(kind)}"
