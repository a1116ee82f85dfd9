"""The webhook sources of a mesh, and their deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muster._answers.deliveries import (
    DeliveryList,
    DeliveryView,
    DryRun,
    KeptDelivery,
    RefusedList,
)
from muster._answers.webhooks import WebhookSourceList, WebhookSourceView
from muster._client.admin_options import (
    DeliveryFilter,
    ReplayOptions,
    RevokeOptions,
    WebhookSample,
    WebhookSource,
)
from muster._client.listing import Listing, listing
from muster._client.options import check_options
from muster._client.requests import keep_tasks_query
from muster._client.submission import idempotency_key_of, json_text
from muster._http.api import ApiRequest, segment
from muster._protocol.constants import VALUE_DEPTH_MAX

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from muster._http.api import Api

_TEMPLATE_DEPTH_MAX = VALUE_DEPTH_MAX + 2
"""A source contains its template of a payload, two levels down."""


class WebhooksClient:
    """The webhook sources of a mesh, and their deliveries."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self) -> Listing[WebhookSourceView]:
        """Every webhook source, without its secrets."""
        path = "v1/webhook-sources"
        return listing(self._api, WebhookSourceList, path, {}, lambda page: page.sources)

    async def get(self, name: str) -> WebhookSourceView:
        """One source by its name."""
        return await self._api.read(WebhookSourceView, ApiRequest(path=_path_of(name)))

    async def put(self, name: str, source: WebhookSource) -> WebhookSourceView:
        """Create or replace a source: deliveries to `v1/webhooks/NAME` that are signed with its secret become tasks."""
        check_options("the source of webhooks.put", source, WebhookSource)
        content = json_text(source, "source", _TEMPLATE_DEPTH_MAX).encode()
        request = ApiRequest(method="PUT", path=_path_of(name), content=content)
        return await self._api.read(WebhookSourceView, request)

    async def remove(self, name: str, **options: Unpack[RevokeOptions]) -> None:
        """Remove a source. The tasks that it has created are cancelled, unless `keep_tasks` says otherwise."""
        check_options("webhooks.remove", options, RevokeOptions)
        await self._api.remove(_path_of(name), keep_tasks_query(options))

    async def test(self, name: str, sample: WebhookSample) -> DryRun:
        """Dry run: the task that a sample event would become, or the filter that drops it. Nothing is stored."""
        check_options("the sample of webhooks.test", sample, WebhookSample)
        request = ApiRequest(
            method="POST",
            path=f"{_path_of(name)}/test",
            content=json_text(sample, "sample", _TEMPLATE_DEPTH_MAX).encode(),
            exact=(("task", "payload"),),
            idempotent=True,
        )
        return await self._api.read(DryRun, request)

    def deliveries(self, name: str, **conditions: Unpack[DeliveryFilter]) -> Listing[KeptDelivery]:
        """The recent deliveries of a source, newest first."""
        check_options("webhooks.deliveries", conditions, DeliveryFilter)
        query = {"outcome": conditions.get("outcome"), "limit": conditions.get("page_size")}
        path = f"{_path_of(name)}/deliveries"
        return listing(self._api, DeliveryList, path, query, lambda page: page.deliveries)

    async def refused(self, name: str) -> RefusedList:
        """The refused deliveries of a source by reason, newest first: at most 20 entries, each with the newest of its deliveries."""
        return await self._api.read(RefusedList, ApiRequest(path=f"{_path_of(name)}/refused"))

    async def replay(
        self, name: str, delivery_id: str, **options: Unpack[ReplayOptions]
    ) -> DeliveryView:
        """Process a stored delivery again, with the source's current filters and mapping."""
        check_options("webhooks.replay", options, ReplayOptions)
        request = ApiRequest(
            method="POST",
            path=f"{_path_of(name)}/deliveries/{segment(delivery_id)}/replay",
            query={"new_task": "true" if options.get("new_task") else "false"},
            headers={"idempotency-key": idempotency_key_of(options.get("idempotency_key"))},
            idempotent=True,
        )
        return await self._api.read(DeliveryView, request)


def _path_of(name: str) -> str:
    return f"v1/webhook-sources/{segment(name)}"
