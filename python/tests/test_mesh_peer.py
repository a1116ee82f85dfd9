"""A peer at a real mesh: `muster serve` of this repository."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from loops import until
from meshes import Mesh
from muster import FinalError, PeerError, TaskContext, connect_peer
from muster._peer import events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Self

    from muster import PeerEvent

LARGEST = 25 * 1_048_576 - 2
"""Characters of a string whose JSON is the largest result."""


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """One mesh for the tests that leave it as it is."""
    mesh = Mesh(tmp_path_factory.mktemp("mesh"))
    mesh.start()
    yield mesh
    mesh.stop()


@pytest.fixture
def own_mesh(tmp_path: Path) -> Iterator[Mesh]:
    mesh = Mesh(tmp_path)
    mesh.start()
    yield mesh
    mesh.stop()


class Api:
    """The HTTP API, with the token of the administrator."""

    def __init__(self, mesh: Mesh) -> None:
        headers = {"authorization": f"Bearer {mesh.token}"}
        self._client = httpx.AsyncClient(base_url=mesh.url, headers=headers, timeout=60)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = await self._client.request(method, path, json=body, params=query)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def submit(self, kind: str, payload: Any = None, **options: Any) -> str:
        task = await self.call("POST", "/v1/tasks", {"kind": kind, "payload": payload, **options})
        return str(task["id"])

    async def ended(self, task_id: str) -> Any:
        """The task once it has ended; asks again while the mesh is away."""
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = await self._client.get(f"/v1/tasks/{task_id}", params={"wait": 20})
                if answer.is_success and answer.json()["ended_at"] is not None:
                    return answer.json()
            await asyncio.sleep(0.1)

    async def until_running(self, task_ids: list[str]) -> None:
        """Wait until the mesh knows that a peer has begun these tasks."""
        for task_id in task_ids:
            while (await self.call("GET", f"/v1/tasks/{task_id}"))["state"] != "running":
                await asyncio.sleep(0.1)

    async def run(self, kind: str, payload: Any = None, **options: Any) -> Any:
        return await self.ended(await self.submit(kind, payload, **options))


def of_type(told: list[PeerEvent], kind: type[Any]) -> list[Any]:
    return [event for event in told if isinstance(event, kind)]


def fail(payload: Any) -> None:
    if payload == "final":
        raise FinalError("never")
    raise ValueError("again")


async def test_py32_tasks_of_a_mesh_are_run(mesh: Mesh) -> None:
    def large(payload: int) -> str:
        return "x" * payload

    async def count(payload: Any, context: TaskContext) -> dict[str, Any]:
        context.progress(0.5, "half way")
        return {"payload": payload, "attempt": context.attempt}

    handlers: dict[str, Any] = {"py/large": large, "py/count": count, "py/fail": fail}
    told: list[PeerEvent] = []
    peer = connect_peer(mesh.url, handlers=handlers, slots=4, on_event=told.append)
    async with peer, Api(mesh) as api:
        await peer.ready()
        counted = await asyncio.gather(*(api.run("py/count", number) for number in range(20)))
        assert [task["state"] for task in counted] == ["succeeded"] * 20
        assert [task["result"]["payload"] for task in counted] == list(range(20))
        failed = await api.run("py/fail", "retry", max_attempts=2, backoff={"first_seconds": 0})
        assert (failed["state"], failed["error"]) == ("failed", "ValueError: again")
        assert failed["attempts_used"] == 2
        final = await api.run("py/fail", "final")
        assert (final["error"], final["attempts_used"]) == ("never", 1)
        for size in (300_000, LARGEST):
            task = await api.run("py/large", size)
            assert task["state"] == "succeeded", task["error"]
            answer = await api._client.get(f"/v1/tasks/{task['id']}/result")
            assert answer.content == b'"' + b"x" * size + b'"'
        too_large = await api.run("py/large", LARGEST + 1)
        assert "more than can be sent" in too_large["error"]
        await until(lambda: len(of_type(told, events.TaskSucceeded)) == 22)
    assert of_type(told, events.MeshRefused) == []
    assert of_type(told, events.FrameIgnored) == []
    assert of_type(told, events.Disconnected) == []


async def test_py33_work_in_flight_survives_a_mesh_that_is_killed(own_mesh: Mesh) -> None:
    release = threading.Event()
    runs: list[int] = []

    def hold(payload: int) -> int:
        runs.append(payload)
        release.wait()
        return payload

    told: list[PeerEvent] = []
    peer = connect_peer(own_mesh.url, handlers={"hold": hold}, slots=4, on_event=told.append)
    async with peer, Api(own_mesh) as api:
        await peer.ready()
        ids = [await api.submit("hold", number) for number in range(4)]
        await until(lambda: len(runs) == 4)
        # A task whose accept is lost with the mesh was never begun for it, and may run again.
        await api.until_running(ids)
        await asyncio.to_thread(own_mesh.kill)
        await until(lambda: of_type(told, events.Disconnected))
        release.set()
        await asyncio.to_thread(own_mesh.start)
        tasks = [await api.ended(task_id) for task_id in ids]
        assert [task["result"] for task in tasks] == [0, 1, 2, 3]
        assert sorted(runs) == [0, 1, 2, 3], "nothing is run twice"
        assert len(of_type(told, events.Ready)) >= 2


async def test_py33_results_that_the_killed_mesh_had_not_committed_are_sent_again(
    own_mesh: Mesh,
) -> None:
    async def echo(payload: Any) -> Any:
        return payload

    peer = connect_peer(own_mesh.url, handlers={"echo": echo}, slots=16)
    async with peer, Api(own_mesh) as api:
        await peer.ready()
        ids = [await api.submit("echo", number) for number in range(60)]
        await asyncio.to_thread(own_mesh.kill)
        await asyncio.to_thread(own_mesh.start)
        tasks = [await api.ended(task_id) for task_id in ids]
        assert [task["result"] for task in tasks] == list(range(60))


async def test_py34_a_peer_that_is_revoked_stops(mesh: Mesh) -> None:
    cancelled = threading.Event()
    begun = threading.Event()

    def hold(_: Any, context: TaskContext) -> None:
        begun.set()
        context.wait_cancelled()
        cancelled.set()

    peer = connect_peer(mesh.url, handlers={"py/revoked": hold})
    async with peer, Api(mesh) as api:
        await peer.ready()
        task_id = await api.submit("py/revoked")
        await until(begun.is_set)
        await api.call("POST", f"/v1/peers/{peer.id}/revoke")
        with pytest.raises(PeerError) as revoked:
            await peer.closed()
        assert revoked.value.code == "revoked"
        await until(cancelled.is_set)
        await api.call("DELETE", f"/v1/tasks/{task_id}")


async def test_py34_an_operator_drains_a_peer(mesh: Mesh) -> None:
    begun = threading.Event()
    release = threading.Event()

    def hold(payload: Any) -> Any:
        begun.set()
        release.wait()
        return payload

    told: list[PeerEvent] = []
    peer = connect_peer(mesh.url, handlers={"py/drained": hold}, on_event=told.append)
    async with peer, Api(mesh) as api:
        await peer.ready()
        task_id = await api.submit("py/drained", 7)
        await until(begun.is_set)
        await api.call("POST", f"/v1/peers/{peer.id}/drain", {"timeout_seconds": 60})
        await until(lambda: of_type(told, events.Draining))
        assert of_type(told, events.Draining)[0].by == "mesh"
        release.set()
        await peer.closed()
        assert (await api.ended(task_id))["result"] == 7


async def test_py34_a_key_is_rotated_at_a_mesh(mesh: Mesh) -> None:
    async def echo(payload: Any) -> Any:
        return payload

    peer = connect_peer(mesh.url, handlers={"py/rotated": echo})
    async with peer, Api(mesh) as api:
        await peer.ready()
        old = peer.id
        keys = await peer.rotate()
        assert peer.id == keys.id != old
        assert (await api.run("py/rotated", 5))["peer_id"] == keys.id
        async with connect_peer(mesh.url) as stranger:
            await stranger.ready()
            with pytest.raises(PeerError) as taken:
                await stranger.rotate(keys.private_key)
        assert taken.value.code == "rotation_failed"


async def test_py35_a_join_key_admits_a_peer_to_a_mesh_with_an_allowlist(tmp_path: Path) -> None:
    mesh = Mesh(tmp_path, {"auth-mode": "allowlist"})
    await asyncio.to_thread(mesh.start)
    try:
        stranger = connect_peer(mesh.url)
        with pytest.raises(PeerError) as refused:
            await stranger.ready()
        assert refused.value.code == "not_allowed"
        async with Api(mesh) as api:
            made = await api.call("POST", "/v1/join-keys", {"uses": 1})
        key_file = tmp_path / "peer.json"
        for join_key in (made["key"], None):
            peer = connect_peer(
                mesh.url, mesh_key=mesh.mesh_key, join_key=join_key, key_file=key_file
            )
            async with peer:
                await peer.ready()
        other = connect_peer(mesh.url, mesh_key=mesh.mesh_key, join_key=made["key"])
        with pytest.raises(PeerError) as used_up:
            await other.ready()
        assert used_up.value.code == "join_key_invalid"
    finally:
        await asyncio.to_thread(mesh.stop)


def test_py36_a_worker_that_is_killed_loses_its_task_to_another(mesh: Mesh, tmp_path: Path) -> None:
    module = tmp_path / "tasks.py"
    module.write_text(
        "import os, time, muster\n"
        "@muster.handler('py/killed')\n"
        "def killed(payload, ctx):\n"
        "    if ctx.attempt == 1:\n"
        "        time.sleep(600)\n"
        "    return ctx.attempt\n"
    )
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "muster", "join", mesh.url, "--module", str(module), "--json"]
    workers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        for _ in range(2)
    ]

    async def run() -> None:
        async with Api(mesh) as api:
            options = {"lease_seconds": 2, "backoff": {"first_seconds": 0}}
            task_id = await api.submit("py/killed", **options)
            while True:
                task = await api.call("GET", f"/v1/tasks/{task_id}")
                if task["state"] == "running":
                    break
                await asyncio.sleep(0.05)
            peers = (await api.call("GET", "/v1/peers"))["peers"]
            assert any(each["id"] == task["peer_id"] for each in peers)
            await asyncio.to_thread(kill_worker_of, task["peer_id"])
            ended = await api.ended(task_id)
            assert (ended["state"], ended["result"]) == ("succeeded", 2)

    def kill_worker_of(peer_id: str) -> None:
        for worker in workers:
            assert worker.stdout is not None
            while '"ready"' not in (line := worker.stdout.readline()):
                pass
            if peer_id in line:
                worker.send_signal(signal.SIGKILL)

    try:
        asyncio.run(run())
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
