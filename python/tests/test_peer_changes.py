"""What a peer changes about itself, and what it is asked."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from fake_mesh import FakeMesh, fake_mesh
from loops import until
from muster import (
    OptionsError,
    PeerError,
    connect_peer,
)
from muster._peer import events
from peers import of_type, peer_of

if TYPE_CHECKING:
    from pathlib import Path

    from muster import PeerEvent


async def test_py8_a_key_is_rotated_and_stored(tmp_path: Path) -> None:
    path = tmp_path / "peer.json"
    async with fake_mesh() as mesh:
        told: list[PeerEvent] = []
        async with peer_of(mesh, told, key_file=path) as peer:
            await peer.ready()
            old = peer.id
            rotating = asyncio.create_task(peer.rotate())
            first = mesh.sessions[0]
            rotate = await first.message("rotate")
            new_key = bytes.fromhex(rotate["payload"]["public_key"])
            mesh.refuses = None
            await first.close(4403, "rotated: this key has a successor")
            keys = await rotating
            assert keys.public_key == new_key
            assert peer.id == keys.id != old
            assert json.loads(path.read_text())["id"] == keys.id
            assert path.stat().st_mode & 0o777 == 0o600
            assert list(tmp_path.iterdir()) == [path]
            assert (await mesh.session(1)).peer_key == new_key
            await until(lambda: of_type(told, events.Rotated))


async def test_py8_a_rotation_that_the_mesh_refuses_leaves_the_key(tmp_path: Path) -> None:
    path = tmp_path / "peer.json"
    async with fake_mesh() as mesh, peer_of(mesh, key_file=path) as peer:
        with pytest.raises(PeerError) as early:
            await peer.rotate()
        assert early.value.code == "rotation_failed"
        await peer.ready()
        before = path.read_text()
        rotating = asyncio.create_task(peer.rotate())
        session = mesh.sessions[0]
        rotate = await session.message("rotate")
        error = {"code": 1004, "message": "too often", "details": "rate_limited"}
        await session.send("error", error, rotate["id"])
        with pytest.raises(PeerError, match="too often") as refused:
            await rotating
        assert refused.value.code == "rotation_failed"
        assert path.read_text() == before
        assert list(tmp_path.iterdir()) == [path]


async def test_py8_a_rotation_whose_end_is_not_known_keeps_both_keys(tmp_path: Path) -> None:
    path = tmp_path / "peer.json"
    async with fake_mesh() as mesh, peer_of(mesh, key_file=path) as peer:
        await peer.ready()
        rotating = asyncio.create_task(peer.rotate())
        await mesh.sessions[0].message("rotate")
        await peer.close()
        with pytest.raises(PeerError) as unknown:
            await rotating
        assert unknown.value.code == "rotation_unknown"
        assert f"the new one in {path}.new" in str(unknown.value)
        assert {each.name for each in tmp_path.iterdir()} == {"peer.json", "peer.json.new"}


async def test_py9_changes_are_announced_and_count_for_later_sessions() -> None:
    async with fake_mesh() as mesh, peer_of(mesh, slots=1) as peer:
        await peer.ready()

        @peer.handler("late")
        def late(payload: Any) -> Any:
            return payload

        peer.announce(slots=4, capabilities=["gpu"], prefetch=False)
        session = mesh.sessions[0]
        changes = {"slots": 4, "capabilities": ["gpu"], "prefetch": False}
        await session.message("announce", **changes)
        await session.message("announce", kinds=["echo", "late"])
        offer = await session.offer("late", 5)
        assert (await session.result(offer))["result"] == 5
        await session.close(1011)
        second = await mesh.session(1)
        assert second.hello["kinds"] == ["echo", "late"]
        assert {name: second.hello[name] for name in changes} == changes
        with pytest.raises(OptionsError, match="no handler for other"):
            peer.announce(kinds=["other"])


async def test_py9_announcements_above_the_limit_are_joined() -> None:
    async with fake_mesh() as mesh, peer_of(mesh) as peer:
        await peer.ready()
        for slots in range(1, 101):
            peer.announce(slots=slots)
        await mesh.sessions[0].message("announce", slots=100)
        assert len(mesh.sessions[0].of_type("announce")) <= 32


async def test_py11_requests_to_the_peer_are_answered() -> None:
    async with fake_mesh() as mesh:
        handlers = {"go-p2p/get_logs": lambda payload: {"lines": payload}}
        async with peer_of(mesh, handlers=handlers, name="a") as peer:
            await peer.ready()
            session = mesh.sessions[0]
            stats = await session.send("get_stats", None)
            logs = await session.send("get_logs", [1.50])
            deploy = await session.send("deploy", {})
            replies: dict[str, Any] = {}
            while len(replies) < 3:
                for each in session.frames:
                    if each.get("replyTo") in (stats, logs, deploy):
                        replies[each["replyTo"]] = each
                await asyncio.sleep(0.01)
            assert replies[stats]["type"] == "stats"
            assert replies[stats]["payload"]["nodeId"] == peer.id
            assert (replies[logs]["type"], replies[logs]["payload"]) == ("logs", {"lines": [1.5]})
            assert replies[deploy]["type"] == "error"
            assert replies[deploy]["payload"]["code"] == 1003


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"slots": 257}, "slots"),
        ({"slots": True}, "slots"),
        ({"slots": 1.5}, "slots"),
        ({"name": " x"}, "name"),
        ({"role": "boss"}, "role"),
        ({"capabilities": "gpu"}, "list of labels"),
        ({"capabilities": ["a b"]}, "capability"),
        ({"capabilities": [f"a{n}" for n in range(33)]}, "at most 32"),
        ({"kinds": ["other"]}, "no handler for other"),
        ({"kinds": "echo"}, "list of kinds"),
        ({"handlers": {"a b": len}}, "kind"),
        ({"handlers": {"a": 5}}, "function"),
        ({"handlers": {"a": lambda a, b, c: (a, b, c)}}, "payload"),
        ({"handlers": {"a": lambda: 1}}, "payload"),
        ({"mesh_key": "ab"}, "64 hex"),
        ({"join_key": "mjk_1"}, "needs mesh_key"),
        ({"private_key": "ab" * 32, "key_file": "x"}, "leave one out"),
        ({"private_key": "secret"}, "64 hex"),
        ({"url": "ftp://h"}, "not the URL of a mesh"),
        ({"url": 5}, "a text"),
        ({"handlers": [1]}, "a mapping of functions by kind, not list"),
        ({"url": f"muster://h/#{'ab' * 32}", "mesh_key": "cd" * 32}, "not the key of the"),
    ],
)
def test_py12_options_are_checked_before_anything_is_done(
    options: dict[str, Any], says: str
) -> None:
    with pytest.raises(OptionsError, match=says) as found:
        peer_of(FakeMesh(url="http://127.0.0.1:9"), **options)
    assert "secret" not in str(found.value)


async def test_py12_a_peer_that_was_closed_before_it_dialed_does_nothing() -> None:
    peer = connect_peer("http://127.0.0.1:9")
    await peer.close()
    await peer.closed()
    with pytest.raises(PeerError) as closed:
        await peer.ready()
    assert closed.value.code == "closed"
    assert peer.state == "closed"
