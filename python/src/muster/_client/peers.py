"""Reads and governs the peers of a mesh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from muster._answers.peers import (
    PairRttView,
    PeerAnswer,
    PeerList,
    PeerView,
    RevokedPeer,
)
from muster._answers.scores import ScoreView
from muster._client.admin_options import (
    DrainOptions,
    PeerFilter,
    PeerSelection,
    RequestOptions,
    RevokeOptions,
    ScheduleOptions,
)
from muster._client.listing import Listing, listing
from muster._client.options import check_options, seconds_of
from muster._client.requests import keep_tasks_query, with_body
from muster._client.submission import json_text
from muster._http.api import ApiRequest, segment

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from muster._http.api import Api

_REQUEST_TIMEOUT_DEFAULT = 10.0


class PeersClient:
    """Reads and governs the peers of a mesh."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self, **conditions: Unpack[PeerFilter]) -> Listing[PeerView]:
        """Every known peer, connected or not."""
        check_options("peers.list", conditions, PeerFilter)
        return listing(self._api, PeerList, "v1/peers", conditions, lambda page: page.peers)

    async def get(self, peer_id: str) -> PeerView:
        """One peer by its ID."""
        return await self._api.read(PeerView, ApiRequest(path=_path_of(peer_id)))

    async def score(self, peer_id: str) -> ScoreView:
        """The factors of a peer's score, each with its value and weight."""
        return await self._api.read(ScoreView, ApiRequest(path=f"{_path_of(peer_id)}/score"))

    async def rtt(self, peer_id: str, other_id: str) -> PairRttView:
        """The estimated round-trip time between two peers, its error, and whether it was measured."""
        path = f"{_path_of(peer_id)}/rtt/{segment(other_id)}"
        return await self._api.read(PairRttView, ApiRequest(path=path))

    async def request(
        self, peer_id: str, type_: str, payload: Any = None, **options: Unpack[RequestOptions]
    ) -> PeerAnswer:
        """Send a go-p2p request to a connected peer and return its reply, which may be an `error` message.

        Raises `peer_unavailable` if the peer is not connected, `peer_timeout` if it does not reply in time.
        """
        check_options("peers.request", options, RequestOptions)
        timeout = seconds_of("timeout", options.get("timeout"), _REQUEST_TIMEOUT_DEFAULT)
        members = json_text({"type": type_, "timeout_ms": round(timeout * 1_000)}, "request")
        body = f'{members[:-1]},"payload":{json_text(payload, "payload")}}}'
        request = ApiRequest(
            method="POST",
            path=f"{_path_of(peer_id)}/requests",
            content=body.encode(),
            exact=(("payload",),),
            wait=timeout,
        )
        return await self._api.read(PeerAnswer, request)

    async def revoke(self, id_or_key: str, **options: Unpack[RevokeOptions]) -> RevokedPeer:
        """Bar a key, which is named by its peer's ID or by itself (hex), and end its session; both are done when the call returns.

        The mesh need not know the key (`known`). The old ID of a peer that has rotated its key stands for the peer (`rotated_from`). The
        tasks that the peer submitted are cancelled, unless `keep_tasks` says otherwise.
        """
        check_options("peers.revoke", options, RevokeOptions)
        path = f"{_path_of(id_or_key)}/revoke"
        request = ApiRequest(method="POST", path=path, query=keep_tasks_query(options))
        return await self._api.read(RevokedPeer, request)

    async def reset_circuits(self, peer_id: str) -> PeerView:
        """Close the peer's circuits, because it works again: it gets tasks at once."""
        return await self._act(peer_id, "reset")

    async def cordon(self, peer_id: str) -> PeerView:
        """The peer gets no new tasks until it is uncordoned."""
        return await self._act(peer_id, "cordon")

    async def uncordon(self, peer_id: str) -> PeerView:
        """The peer gets tasks again."""
        return await self._act(peer_id, "uncordon")

    async def drain(self, peer_id: str, **options: Unpack[DrainOptions]) -> PeerView:
        """The peer hands back what it has not begun, finishes the rest and leaves. It stays cordoned.

        Returns at once; the drain is over when the peer is not connected any more.
        """
        check_options("peers.drain", options, DrainOptions)
        return await self._api.read(
            PeerView, with_body("POST", f"{_path_of(peer_id)}/drain", options)
        )

    async def schedule(
        self,
        action: Literal["cordon", "uncordon", "drain"],
        select: PeerSelection,
        **options: Unpack[ScheduleOptions],
    ) -> tuple[PeerView, ...]:
        """Cordon, uncordon or drain every peer that meets the conditions, and return those that it concerned."""
        check_options("peers.schedule", options, ScheduleOptions)
        check_options("the selection of peers.schedule", select, PeerSelection)
        body: dict[str, Any] = {"select": select, "dry_run": options.get("dry_run", False)}
        if action == "drain" and "timeout_seconds" in options:
            body["timeout_seconds"] = options["timeout_seconds"]
        found: list[PeerView] = []
        while True:
            request = with_body("POST", f"v1/peer-batches/{segment(action)}", body)
            page = await self._api.read(PeerList, request)
            found += page.peers
            if page.next_cursor is None:
                return tuple(found)
            body["cursor"] = page.next_cursor

    async def forget(self, peer_id: str) -> None:
        """Delete the mesh's data about a peer. This does not bar its key: the peer may connect again."""
        await self._api.remove(_path_of(peer_id))

    async def _act(self, peer_id: str, action: str) -> PeerView:
        request = ApiRequest(method="POST", path=f"{_path_of(peer_id)}/{action}")
        return await self._api.read(PeerView, request)


def _path_of(peer_id: str) -> str:
    return f"v1/peers/{segment(peer_id)}"
