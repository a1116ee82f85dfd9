"""The audit log of a mesh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muster._answers.admission import AuditList, AuditView
from muster._client.admin_options import AuditFilter
from muster._client.listing import Listing, listing
from muster._client.options import check_options

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from muster._http.api import Api


class AuditClient:
    """The audit log of a mesh: admissions, refusals and administrative changes."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self, **conditions: Unpack[AuditFilter]) -> Listing[AuditView]:
        """The entries, newest first."""
        check_options("audit.list", conditions, AuditFilter)
        return listing(self._api, AuditList, "v1/audit", conditions, lambda page: page.entries)
