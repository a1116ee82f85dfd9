"""The client of a mesh's HTTP API, for programs that submit tasks or administer the mesh."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypedDict

from muster._answers.alerts import AlertList, AlertView
from muster._answers.cells import CellsView
from muster._client.allowlist import AllowlistClient, DenylistClient
from muster._client.audit import AuditClient
from muster._client.callbacks import CallbacksClient
from muster._client.dials import DialsClient
from muster._client.discovery import DiscoveryClient
from muster._client.kinds import KindsClient
from muster._client.mesh_pin import MeshPin
from muster._client.options import OUTAGE_DEFAULT, check_options, given_only, seconds_of
from muster._client.peers import PeersClient
from muster._client.settings import SettingsClient
from muster._client.tasks import TasksClient
from muster._client.tokens import JoinKeysClient, TokensClient
from muster._client.webhooks import WebhooksClient
from muster._crypto.identity import public_key_hex
from muster._events.follow_events import Follow, follow_events
from muster._events.options import EventOptions, MeshEvent
from muster._http.api import Api, ApiRequest, new_http_client
from muster._http.urls import is_loopback, read_mesh_link
from muster.errors import InsecureWarning, OptionsError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from types import TracebackType

    import httpx
    from typing_extensions import Self, Unpack

    from muster._client.task_options import RunOptions


class _Entrance(TypedDict, total=False):
    url: str
    token: str


class Controller:
    """One sub-client for each resource of a mesh.

    The verbs are the same everywhere: `list` returns a `Listing`, `get` reads one, `create` makes one that the mesh names, `put` creates or
    replaces one that the caller names, `remove` deletes, `revoke` bars for good. Every method raises `MusterApiError` when the mesh refuses
    the request or does not answer. Use it with `async with`, or call `close`.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        mesh_key: str | bytes | None = None,
        next_mesh_key: str | bytes | None = None,
        outage: float | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """See `controller`."""
        check_options("controller", {"url": url, **given_only({"token": token})}, _Entrance)
        link = read_mesh_link(url)
        pinned = None if mesh_key is None else public_key_hex(mesh_key)
        if link is not None and pinned not in (None, link.mesh_key):
            text = "mesh_key is not the key of the muster:// link; leave one of them out"
            raise OptionsError(text)
        if link is not None:
            url, pinned = link.url, link.mesh_key
        self._outage = seconds_of("outage", outage, OUTAGE_DEFAULT)
        self._client = new_http_client() if client is None else client
        self._is_own = client is None
        api = self._api = Api(url, token, self._client)
        if token is not None and api.base.startswith("http://") and not is_loopback(url):
            text = f"the token travels to {api.base} without encryption; use https://"
            warnings.warn(text, InsecureWarning, stacklevel=3)
        following = () if next_mesh_key is None else (public_key_hex(next_mesh_key),)
        pin = None if pinned is None else MeshPin(url, self._client, (pinned, *following))
        self.tasks = TasksClient(api, pin, self._outage)
        self.peers = PeersClient(api)
        self.dials = DialsClient(api)
        self.allowlist = AllowlistClient(api)
        self.denylist = DenylistClient(api)
        self.tokens = TokensClient(api)
        self.join_keys = JoinKeysClient(api)
        self.webhooks = WebhooksClient(api)
        self.discovery = DiscoveryClient(api, self._client)
        self.audit = AuditClient(api)
        self.settings = SettingsClient(api)
        self.kinds = KindsClient(api)
        self.callbacks = CallbacksClient(api)

    def __repr__(self) -> str:
        return f"Controller({self._api.base!r})"

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
        """End the streams and close the connections."""
        await self.tasks.close()
        if self._is_own:
            await self._client.aclose()

    async def run(self, kind: str, payload: Any = None, **options: Unpack[RunOptions]) -> Any:
        """Short for `tasks.run`: submit a task, wait for its end and return its result."""
        return await self.tasks.run(kind, payload, **options)

    async def alerts(self) -> tuple[AlertView, ...]:
        """The alerts that fire now, those that have fired for longest first (docs/alerts.md)."""
        return (await self._api.read(AlertList, ApiRequest(path="v1/alerts"))).alerts

    async def cells(self) -> CellsView:
        """The cells of the mesh, what each has, and whether their number changes."""
        return await self._api.read(CellsView, ApiRequest(path="v1/cells"))

    def events(self, **options: Unpack[EventOptions]) -> AsyncGenerator[MeshEvent, None]:
        """What changes in the mesh, as far as the token may see it, from now on or after a position.

        Goes on across restarts of the mesh, with each event once and in order; a gap says that events are missing. Raises
        `MusterApiError` if the mesh refuses the token or gives no answer for `outage`.
        """
        check_options("events", options, EventOptions)
        types, tasks = options.get("types"), options.get("tasks")
        query = {
            "type": None if types is None else ",".join(types),
            "kind": options.get("kind"),
            "owner": options.get("owner"),
            "peer": options.get("peer"),
            "task": None if tasks is None else ",".join(tasks),
        }
        outage = seconds_of("outage", options.get("outage"), self._outage)
        return follow_events(self._api, Follow(query, outage, options.get("after")))


def controller(
    url: str,
    token: str | None = None,
    *,
    mesh_key: str | bytes | None = None,
    next_mesh_key: str | bytes | None = None,
    outage: float | None = None,
    client: httpx.AsyncClient | None = None,
) -> Controller:
    """Return the client of a mesh's HTTP API.

    - `url`: the mesh's base URL, or its `muster://` link, whose key is then pinned.
    - `token`: an API token of the mesh. Without a token only `settings.mesh()` works.
    - `mesh_key`: pins the mesh's public key: results are accepted, and contained in tasks, only with the mesh's signature, whoever ends
      TLS. Without it nothing but TLS says that they are the mesh's.
    - `next_mesh_key`: the key that the mesh has announced as its next, accepted when the mesh has replaced `mesh_key`.
    - `outage`: how long calls that wait for a task go on while the mesh gives no answer, as during a restart, in seconds; default 60. 0
      gives up after a few retries.
    - `client`: an `httpx.AsyncClient` of the program, for proxies and certificates of its own. The program closes it.
    """
    return Controller(
        url,
        token,
        mesh_key=mesh_key,
        next_mesh_key=next_mesh_key,
        outage=outage,
        client=client,
    )
