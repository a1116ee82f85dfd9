"""No handler delays a heartbeat."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from fake_mesh import FakeMesh, fake_mesh
from loops import until
from muster._peer import events
from muster._peer.loop_thread import LoopThread
from peers import of_type, peer_of
from process_tasks import hold_lock_until

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

    from muster import PeerEvent

T = TypeVar("T")


async def test_py10_a_heartbeat_is_sent_and_a_silent_mesh_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("muster._connection.connection.HEARTBEAT_INTERVAL", 0.1)
    monkeypatch.setattr("muster._peer.session_loop.MESH_SILENCE_MAX", 1.0)
    async with fake_mesh() as mesh:
        told: list[PeerEvent] = []
        async with peer_of(mesh, told) as peer:
            await peer.ready()
            session = mesh.sessions[0]
            await until(lambda: session.texts.count("ping") >= 3)
            assert of_type(told, events.Disconnected) == []
            session.socket.transport.pause_reading()
            await mesh.session(1)
            assert of_type(told, events.Disconnected)[0].code == 4408


class MeshThread:
    """A fake mesh in a thread of its own: the tests keep their own loop busy."""

    def __init__(self) -> None:
        self._thread = LoopThread("fake-mesh")
        self._context = fake_mesh()
        self.mesh = self._thread.run_and_wait(self._context.__aenter__())

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return self._thread.run_and_wait(work)

    def stop(self) -> None:
        self._thread.run_and_wait(self._context.__aexit__(None, None, None))
        self._thread.post(self._thread.stop_after, 0)


BEATS = 5


@pytest.fixture
def heartbeats(monkeypatch: pytest.MonkeyPatch) -> Iterator[MeshThread]:
    monkeypatch.setattr("muster._connection.connection.HEARTBEAT_INTERVAL", 0.05)
    mesh = MeshThread()
    yield mesh
    mesh.stop()


def beats(mesh: FakeMesh) -> int:
    return mesh.sessions[0].texts.count("ping")


@pytest.mark.parametrize("is_async", [True, False])
def test_py10_a_handler_that_computes_delays_no_heartbeat(
    heartbeats: MeshThread, *, is_async: bool
) -> None:
    """The handler ends once heartbeats have come while it computes."""
    mesh = heartbeats.mesh

    def compute(_: Any) -> int:
        least = beats(mesh) + BEATS
        steps = 0
        while beats(mesh) < least:
            steps += 1
        return steps

    async def compute_in_loop(_: Any) -> int:
        return compute(None)

    async def run() -> None:
        handlers = {"compute": compute_in_loop if is_async else compute}
        async with peer_of(mesh, handlers=handlers) as peer:
            await peer.ready()
            session = mesh.sessions[0]
            offered = asyncio.to_thread(heartbeats.call, session.offer("compute"))
            offer = await offered
            result = await asyncio.to_thread(heartbeats.call, session.result(offer))
            assert result["result"] > 0

    asyncio.run(run())


def test_py10_a_process_that_holds_the_interpreters_lock_delays_no_heartbeat(
    heartbeats: MeshThread, tmp_path: Path
) -> None:
    mesh = heartbeats.mesh

    async def run() -> None:
        async with peer_of(mesh, handlers={"hold": hold_lock_until}) as peer:
            await peer.ready()
            session = mesh.sessions[0]
            begun, enough = tmp_path / "begun", tmp_path / "enough"
            payload = [str(begun), str(enough)]
            offered = asyncio.to_thread(heartbeats.call, session.offer("hold", payload))
            offer = await offered
            await until(begun.exists)
            least = beats(mesh) + BEATS
            await until(lambda: beats(mesh) >= least)
            enough.touch()
            result = await asyncio.to_thread(heartbeats.call, session.result(offer))
            assert result["result"] >= 1

    asyncio.run(run())
