"""Peers of tests, and a handler that a test releases."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from muster import Peer, TaskContext, connect_peer

if TYPE_CHECKING:
    from fake_mesh import FakeMesh, Session
    from muster import PeerEvent


def peer_of(mesh: FakeMesh, told: list[PeerEvent] | None = None, **options: Any) -> Peer:
    options.setdefault("handlers", {"echo": lambda payload: payload})
    return connect_peer(
        options.pop("url", mesh.url),
        on_event=None if told is None else told.append,
        **options,
    )


def of_type(told: list[PeerEvent], kind: type[Any]) -> list[Any]:
    return [event for event in told if isinstance(event, kind)]


OTHER_TASK = "7b0f3a52-0b7e-4c53-9d2f-2f6f0a1b2c3d"


class Held:
    """A handler that a test releases; it runs in the loop."""

    def __init__(self) -> None:
        self.begun: list[Any] = []
        self.cancelled: list[Any] = []
        self._release = asyncio.Event()

    async def __call__(self, payload: Any, context: TaskContext) -> Any:
        self.begun.append(payload)
        try:
            await self._release.wait()
        except asyncio.CancelledError:
            self.cancelled.append((payload, context.cancel_reason))
            raise
        return payload

    def release(self) -> None:
        self._release.set()


async def joined(
    mesh: FakeMesh, handlers: dict[str, Any], told: list[PeerEvent] | None = None, **options: Any
) -> tuple[Peer, Session]:
    peer = connect_peer(
        mesh.url, handlers=handlers, on_event=None if told is None else told.append, **options
    )
    await peer.ready()
    return peer, await mesh.session()
