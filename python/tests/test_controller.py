"""A controller and a real mesh with a worker."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import muster
from meshes import CHECKOUT, Mesh, Worker, node

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGE_CHARS = 25 * 1_048_576 - 2
"""The JSON of a text of so many characters has 25 MiB, the most that a result may have."""
PROGRAM = f"""
case $MUSTER_TASK_KIND in
  large) {{node}} -e 'process.stdout.write(JSON.stringify("x".repeat({LARGE_CHARS})))' ;;
  slow) sleep 3; cat ;;
  fail) echo no >&2; exit 1 ;;
  *) cat ;;
esac
"""


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """A mesh with a worker of 8 slots."""
    mesh = Mesh(tmp_path_factory.mktemp("mesh"), {"failed-authorizations-per-minute": "1000"})
    mesh.start()
    worker = Worker(mesh, PROGRAM.replace("{node}", node()), ("--slots", "8"))
    yield mesh
    worker.stop()
    mesh.stop()


async def test_py49_tasks_are_run_and_shown(mesh: Mesh) -> None:
    async with muster.controller(mesh.url, mesh.token) as controller:
        payload = {"text": "ä\U0001f600", "numbers": [1, 1.5, -0.0, 2**53 - 1], "none": None}
        assert await controller.run("echo", payload) == payload
        exact = muster.JsonText('{"id":12345678901234567890,"f":1.10}')
        task = await controller.tasks.submit("echo", exact, wait=25, priority=2)
        if not muster.has_ended(task):
            task = await controller.tasks.wait(task.id)
        assert (task.payload_text, task.priority) == (exact.text, 2)
        assert json.loads(await controller.tasks.result_text_of(task)) == json.loads(exact.text)
        assert await controller.tasks.result(task.id) == task.result
        assert (await controller.tasks.get(task.id)).id == task.id
        assert (await controller.tasks.why(task.id)).task_id == task.id
        assert (await controller.tasks.trace(task.id)).task_id == task.id
        with pytest.raises(muster.TaskFailed) as raised:
            await controller.run("fail", max_attempts=1)
        assert raised.value.task.error is not None
        failures = await controller.tasks.failures(kind="fail")
        assert failures.count == 1
        with pytest.raises(muster.MusterApiError) as ended:
            await controller.tasks.cancel(task.id)
        assert (ended.value.code, ended.value.task_id) == ("task_ended", task.id)


async def test_py44_more_calls_wait_than_a_pool_of_connections_has_by_default(mesh: Mesh) -> None:
    async with muster.controller(mesh.url, mesh.token) as controller:
        results = await asyncio.gather(*(controller.run("echo", number) for number in range(120)))
    assert results == list(range(120))


async def test_py49_a_large_result_a_sealed_one_and_one_with_a_pinned_key(mesh: Mesh) -> None:
    key = muster.generate_identity()
    async with (
        muster.controller(mesh.url, mesh.token) as controller,
        muster.controller(mesh.url, mesh.token, mesh_key=mesh.mesh_key) as pinned,
    ):
        task = await controller.tasks.submit("large")
        ended = await controller.tasks.wait(task.id)
        assert (ended.result, ended.result_bytes) == (None, LARGE_CHARS + 2)
        for each in (controller, pinned):
            assert len(await each.tasks.result(task.id)) == LARGE_CHARS
        assert await controller.run("echo", "sealed", private_key=key) == "sealed"
        sealed = await pinned.tasks.submit("echo", "s", seal_to=key.public_key, wait=25)
        shown = await pinned.tasks.wait(sealed.id)
        assert shown.result_sealed
        assert await pinned.tasks.result_of(shown, key) == "s"
        for wrong in (None, muster.generate_identity()):
            with pytest.raises(muster.OptionsError, match="sealed"):
                await pinned.tasks.result(sealed.id, wrong)
        assert await pinned.run("echo", [1]) == [1]


async def test_py49_another_pinned_key_is_not_proved(mesh: Mesh) -> None:
    other = muster.generate_identity().public_key
    async with muster.controller(mesh.url, mesh.token, mesh_key=other) as controller:
        with pytest.raises(muster.MusterApiError) as raised:
            await controller.run("echo", 1)
        assert raised.value.code in ("mesh_unproved", "mesh_key_unknown")
    async with muster.controller(
        mesh.url, mesh.token, mesh_key=other, next_mesh_key=mesh.mesh_key
    ) as rotated:
        assert await rotated.run("echo", 1) == 1


async def test_py49_wrong_and_revoked_tokens(mesh: Mesh) -> None:
    async with muster.controller(mesh.url, mesh.token) as admin:
        created = await admin.tokens.create("controller", "a test", max_waiting=None, weight=2)
        assert created.token not in repr(created)
        async with muster.controller(mesh.url, created.token) as controller:
            task = await controller.tasks.submit("never", role="dual")
            followed = asyncio.create_task(last_state(controller, task.id))
            with pytest.raises(muster.MusterApiError) as forbidden:
                await controller.tokens.list().to_list()
            assert forbidden.value.status == 403
            following = asyncio.create_task(ended_tasks(controller, 1))
            await asyncio.sleep(0.3)
            await admin.tokens.revoke(created.id)
            for call in (controller.tasks.get(task.id), followed, following):
                with pytest.raises(muster.MusterApiError) as revoked:
                    await call
                assert revoked.value.status == 401
        assert (await admin.tasks.get(task.id)).state == "cancelled"
    async with muster.controller(mesh.url, "mst_" + "0" * 32) as stranger:
        with pytest.raises(muster.MusterApiError) as unknown:
            await stranger.tasks.stats()
        assert unknown.value.code == "unauthorized"


async def last_state(controller: muster.Controller, task_id: str) -> str:
    """The state of a task when it has ended."""
    return [task.state async for task in controller.tasks.follow(task_id)][-1]


async def test_py45_full_pages_and_bulk_acts(mesh: Mesh) -> None:
    async with muster.controller(mesh.url, mesh.token) as controller:
        never: muster.BatchTask = {"kind": "page", "capabilities": ["no-such-label"]}
        for _ in range(3):
            outcomes = await controller.tasks.submit_batch([never] * 100)
            assert all(isinstance(each, muster.SubmittedTask) for each in outcomes)
        private: muster.BatchTask = {"kind": "page", "callback": {"url": "http://10.0.0.1/"}}
        refused = await controller.tasks.submit_batch([private, never])
        assert [type(each) for each in refused] == [muster.RefusedTask, muster.SubmittedTask]
        listed: list[muster.TaskSummary] = []
        for size in (100, 301, 500):
            listed = await controller.tasks.list(
                kind="page", state="queued", page_size=size
            ).to_list()
            assert len({each.id for each in listed}) == 301
        cancelled = await controller.tasks.cancel_many({"kind": "page"})
        assert cancelled.count == 301
        again = await controller.tasks.cancel_many([each.id for each in listed[:2]])
        assert [each.code for each in again.skipped] == ["task_ended"] * 2


async def test_py47_a_followed_task_shows_its_states(mesh: Mesh) -> None:
    async with muster.controller(mesh.url, mesh.token) as controller:
        tasks = [await controller.tasks.submit("slow", number) for number in range(3)]
        seen = await asyncio.gather(*(states(controller, each.id) for each in tasks))
    for each in seen:
        assert each[-1] == "succeeded"
        assert "running" in each


async def states(controller: muster.Controller, task_id: str) -> list[str]:
    """The states that `follow` yields."""
    return [task.state async for task in controller.tasks.follow(task_id)]


async def test_py45_what_an_operator_does(mesh: Mesh) -> None:
    async with muster.controller(mesh.url, mesh.token) as controller:
        assert (await controller.settings.mesh()).public_key == mesh.mesh_key
        assert await controller.settings.is_ready()
        assert (await controller.settings.storage()).state == "ok"
        assert "muster_" in await controller.settings.metrics()
        assert await controller.settings.auth_mode() == "open"
        assert await controller.alerts() == ()
        assert [cell.state for cell in (await controller.cells()).cells] == ["active"]
        assert (await controller.tasks.stats()).queue_max > 0
        [worker] = [peer async for peer in controller.peers.list(state="active")]
        assert (await controller.peers.cordon(worker.id)).scheduling == "cordoned"
        assert (await controller.peers.uncordon(worker.id)).scheduling == "open"
        shown = await controller.peers.schedule("cordon", {"ids": [worker.id]}, dry_run=True)
        assert [each.id for each in shown] == [worker.id]
        assert (await controller.peers.score(worker.id)).peer_id == worker.id
        key = muster.generate_identity()
        entry = await controller.allowlist.put(
            key.public_key, label="x", roles=["dual"], max_running=3
        )
        assert (entry.peer_id, entry.limits.max_running) == (key.id, 3)
        assert key.id in [each.peer_id async for each in controller.allowlist.list()]
        await controller.allowlist.remove(key.public_key)
        assert not (await controller.peers.revoke(key.id)).known
        assert [each.peer_id async for each in controller.denylist.list()] == [key.id]
        await controller.denylist.remove(key.id)
        join = await controller.join_keys.create(uses=2, label="x")
        link = muster.read_mesh_link(join.link)
        assert link is not None
        assert link.mesh_key == mesh.mesh_key
        await controller.join_keys.revoke(join.id)
        settings = await controller.kinds.put("k", concurrency=5, rate={"per_second": 1.5})
        assert (settings.concurrency, settings.rate and settings.rate.burst) == (5, 1)
        assert (await controller.kinds.load("k")).load == 0
        await controller.kinds.remove("k")
        assert [each.act async for each in controller.audit.list(subject=join.id)] != []
        secret = await controller.callbacks.secret("https://example.com/a")
        rotated = await controller.callbacks.rotate_secret("https://example.com/b")
        assert rotated.previous is not None
        assert rotated.previous.secret == secret.secret
        async with controller.settings.export_mesh() as parts:
            backup = b"".join([part async for part in parts])
        assert b"muster_backup" in backup.splitlines()[0]


async def test_py45_webhooks_become_tasks(mesh: Mesh) -> None:
    secret = muster.new_webhook_secret()
    async with muster.controller(mesh.url, mesh.token) as controller:
        mapping: dict[str, Any] = {"kind": "echo", "payload": {"file": "$.file"}}
        source: Any = {"scheme": "standard-webhooks", "secret": secret, "task": mapping}
        assert (await controller.webhooks.put("uploads", source)).name == "uploads"
        dry = await controller.webhooks.test("uploads", {"event": {"file": 1.10}})
        assert dry.task is not None
        assert dry.task.payload == {"file": 1.1}
        options: Any = {"url": mesh.url, "source": "uploads", "id": "e1"}
        first = await muster.deliver({"file": "a"}, secret=secret, **options)
        second = await muster.deliver({"file": "a"}, secret=secret, **options)
        assert (first.duplicate, second.duplicate) == (False, True)
        assert first.task_id is not None
        assert (await controller.tasks.wait(first.task_id)).result == {"file": "a"}
        with pytest.raises(muster.MusterApiError) as raised:
            await muster.deliver({}, secret=muster.new_webhook_secret(), **options)
        assert raised.value.code == "signature_invalid"
        assert len(await controller.webhooks.deliveries("uploads").to_list()) == 2
        assert len((await controller.webhooks.refused("uploads")).refused) == 1
        await controller.webhooks.remove("uploads")


async def test_py72_a_published_peer_is_found(mesh: Mesh) -> None:
    async with muster.controller(mesh.url, mesh.token) as controller:
        [worker] = [peer async for peer in controller.peers.list(state="active")]
        found = await until_found(controller, worker.id)
        assert found.public_key == worker.public_key
        result = await controller.discovery.peers(kind="echo")
        assert result.degraded is None
        assert [peer.id for peer in result.peers] == [worker.id]
        assert await controller.discovery.find("0" * 32) is None
        assert (await controller.discovery.peers(role="dual")).peers == ()
        keys = await controller.discovery.keys()
        async with muster.DiscoveryReader(["http://127.0.0.1:9", mesh.url], keys) as reader:
            assert await reader.find(worker.id) == found
        pointers = await controller.discovery.pointers().to_list()
        assert await controller.discovery.resolve(pointers[0]) == found


async def test_py51_a_peer_and_a_controller_in_python(mesh: Mesh) -> None:
    """The peer seals with the same code, and has the keys of discovery in its welcome."""
    peer = muster.connect_peer(mesh.url)

    @peer.handler("python")
    async def double(payload: Any) -> Any:
        return {"twice": payload * 2}

    key = muster.generate_identity()
    async with peer, muster.controller(mesh.url, mesh.token) as controller:
        await peer.ready()
        assert await controller.run("python", 21, private_key=key, peer_id=peer.id) == {"twice": 42}
        assert await controller.run("python", "a", peer_id=peer.id) == {"twice": "aa"}
        keys = peer.discovery_keys
        if keys is not None:
            await until_found(controller, peer.id)
            async with muster.DiscoveryReader(mesh.url, keys) as reader:
                found = await reader.find(peer.id)
                assert found is not None
                assert found.kinds == ("python",)


async def test_py49_the_example_of_the_page_runs(mesh: Mesh, tmp_path: Path) -> None:
    page = (CHECKOUT / "docs" / "python.md").read_text()
    [example] = re.findall(r"^```python\n(# submit\.py\n.*?)^```$", page, re.MULTILINE | re.DOTALL)
    program = tmp_path / "submit.py"
    program.write_text(example.replace("https://mesh.example", mesh.url))
    peer = muster.connect_peer(mesh.url)

    @peer.handler("word_count")
    async def word_count(payload: Any) -> Any:
        return {"words": len(payload["text"].split())}

    @peer.handler("render")
    async def render(payload: Any, ctx: muster.TaskContext) -> Any:
        ctx.progress(0.5, "half")
        return payload

    async with peer, muster.controller(mesh.url, mesh.token) as controller:
        await peer.ready()
        # The other worker takes every kind: it must not take these.
        await controller.peers.schedule("cordon", {"kind": "no-such-kind-but-every-kind"})
        started = await asyncio.create_subprocess_exec(
            sys.executable, str(program), env={**os.environ, "MUSTER_TOKEN": mesh.token},
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await started.communicate()
        await controller.peers.schedule("uncordon", {"kind": "no-such-kind-but-every-kind"})
    lines = output.decode().splitlines()
    assert (started.returncode, lines[0]) == (0, "6")
    assert lines[-1].startswith("succeeded")


async def until_found(controller: muster.Controller, peer_id: str) -> muster.PeerRecord:
    """A record, once it is published: that happens some time after the peer has joined."""
    while True:
        found = await controller.discovery.find(peer_id)
        if found is not None:
            return found
        await asyncio.sleep(0.2)


async def test_py48_what_waits_survives_a_mesh_that_is_killed(tmp_path: Path) -> None:
    mesh = Mesh(tmp_path)
    mesh.start()
    worker = Worker(mesh, "sleep 2; cat", ("--slots", "4"))
    try:
        async with muster.controller(mesh.url, mesh.token) as controller:
            await begin_log(mesh)
            assert await controller.run("echo", 0) == 0
            submitted = await controller.tasks.submit("echo", 1)
            events = asyncio.create_task(ended_tasks(controller, 4))
            calls = [
                asyncio.create_task(controller.tasks.wait(submitted.id)),
                asyncio.create_task(controller.run("echo", 2)),
                asyncio.create_task(last_state(controller, submitted.id)),
            ]
            await asyncio.sleep(1)
            mesh.kill()
            during = asyncio.create_task(controller.run("echo", 3))
            await asyncio.sleep(1)
            await asyncio.to_thread(mesh.start)
            waited, ran, followed = await asyncio.gather(*calls)
            assert (waited.result, ran, followed, await during) == (1, 2, "succeeded", 3)
            # Each submission made one task, whatever was repeated.
            tasks = await controller.tasks.list(kind="echo").to_list()
            assert len(tasks) == 4
            assert len(set(await events)) == 4
    finally:
        worker.stop()
        mesh.stop()


async def begin_log(mesh: Mesh) -> None:
    """A mesh writes its log of events while somebody has read it within the last hour."""
    headers = {"authorization": f"Bearer {mesh.token}"}
    async with httpx.AsyncClient(base_url=mesh.url, headers=headers) as client:
        (await client.get("/v1/events")).raise_for_status()


async def ended_tasks(controller: muster.Controller, count: int) -> list[str]:
    """The IDs of the first tasks that succeed."""
    found: list[str] = []
    async for event in controller.events(types=["task.succeeded"], after="oldest"):
        if isinstance(event, muster.TaskEventView):
            found.append(event.task)
        if len(found) == count:
            break
    return found
