"""Dials that fail, and when a peer comes back."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from fake_mesh import fake_mesh
from loops import until
from muster import (
    PeerError,
    connect_peer,
    generate_identity,
)
from muster._connection.failure import ConnectFailure
from muster._peer import events
from peers import of_type, peer_of

if TYPE_CHECKING:
    from muster import PeerEvent


async def test_py6_an_upgrade_that_is_refused_is_explained() -> None:
    problem = {
        "type": "t",
        "title": "t",
        "status": 503,
        "code": "mesh_full",
        "detail": "come later",
    }
    async with fake_mesh(refuses=lambda _: (503, problem)) as mesh:
        told: list[PeerEvent] = []
        async with peer_of(mesh, told):
            await until(lambda: of_type(told, events.Disconnected))
            event = of_type(told, events.Disconnected)[0]
            assert event.reason == "mesh_full: come later"
            assert event.failure.code == "mesh_unavailable"


async def test_py6_a_mesh_without_the_pinned_key_is_not_dialed_again() -> None:
    problem = {"type": "t", "title": "t", "status": 404, "code": "mesh_key_unknown", "detail": "no"}
    async with fake_mesh(refuses=lambda _: (404, problem)) as mesh:
        with pytest.raises(PeerError) as refused:
            await peer_of(mesh).ready()
        assert refused.value.code == "mesh_key_mismatch"
        assert len(mesh.queries) == 1


async def test_py6_a_mesh_that_has_changed_to_its_next_key_is_dialed_with_that() -> None:
    problem = {"type": "t", "title": "t", "status": 404, "code": "mesh_key_unknown", "detail": "no"}
    old = generate_identity().public_key.hex()
    async with fake_mesh() as mesh:
        mesh.refuses = lambda query: None if query["mesh"] == [mesh.keys.id] else (404, problem)
        next_key = mesh.keys.public_key.hex()
        async with peer_of(mesh, mesh_key=old, next_mesh_key=next_key) as peer:
            await peer.ready()
            assert len(mesh.queries) == 2


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def failure_at(url: str, mesh_key: str | None) -> ConnectFailure:
    told: list[PeerEvent] = []
    async with connect_peer(url, mesh_key=mesh_key, on_event=told.append):
        await until(lambda: of_type(told, events.Disconnected))
    failure = of_type(told, events.Disconnected)[0].failure
    assert isinstance(failure, ConnectFailure)
    return failure


PAGE = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi"


MOVED = (
    b"HTTP/1.1 308 Moved\r\nlocation: https://other.example/x?proof=1\r\ncontent-length: 0\r\n\r\n"
)


OTHER_SERVERS = [
    (b"", "unreachable"),
    (b"220 mail.example ESMTP\r\n\r\n", "not_a_mesh"),
    (PAGE, "not_a_mesh"),
    (MOVED, "redirected"),
]


@pytest.mark.parametrize("mesh_key", [None, "ab" * 32])
@pytest.mark.parametrize(("answer", "code"), OTHER_SERVERS)
async def test_py6_a_server_that_is_no_mesh_is_told_with_its_reason(
    mesh_key: str | None, answer: bytes, code: str
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(answer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        failure = await failure_at(f"http://127.0.0.1:{port}", mesh_key)
        assert failure.code == code, failure
        assert "proof=1" not in failure.message
        tls = await failure_at(f"https://127.0.0.1:{port}", mesh_key)
        assert tls.code in ("tls_failed", "unreachable"), tls


async def test_py6_no_server_and_no_name_are_told_with_the_code_of_the_system() -> None:
    refused = await failure_at(f"http://127.0.0.1:{free_port()}", None)
    assert (refused.code, refused.system_code) == ("unreachable", "ECONNREFUSED")
    unknown = await failure_at("http://mesh.invalid", "ab" * 32)
    assert (unknown.code, unknown.system_code) == ("unreachable", "ENOTFOUND")


async def test_py6_only_the_time_that_the_mesh_proves_corrects_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = {"type": "t", "title": "t", "status": 400, "code": "clock_skew", "detail": "no"}
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3_600)
    async with fake_mesh() as mesh:
        mesh.refuses = lambda query: (
            (400, problem) if abs(int(query["t"][0]) - real()) > 60 else None
        )
        told: list[PeerEvent] = []
        async with peer_of(mesh, told) as peer:
            await until(lambda: of_type(told, events.Disconnected))
            assert "proved none of its own" in of_type(told, events.Disconnected)[0].reason
            assert peer.state == "waiting"


async def test_py7_the_mesh_names_when_to_come_back_and_what_the_peer_holds_is_told() -> None:
    begun = asyncio.Event()

    async def hold(_: Any) -> None:
        begun.set()
        await asyncio.sleep(60)

    async with fake_mesh() as mesh, peer_of(mesh, handlers={"hold": hold}) as peer:
        await peer.ready()
        first = mesh.sessions[0]
        offer = await first.offer("hold", None, fence=7)
        await begun.wait()
        reconnect = {"slot": 2, "per_second": 10}
        await first.send("disconnect", {"reason": "restart", "reconnect": reconnect})
        await first.close(4503, "mesh_restarting: now")
        second = await mesh.session(1)
        assert second.hello["held"] == [{"task_id": offer["task_id"], "fence": 7}]
        await second.message("task_progress", task_id=offer["task_id"], fence=7)


async def test_py7_a_mesh_that_announces_a_disconnect_and_stays_is_left() -> None:
    async with fake_mesh() as mesh, peer_of(mesh) as peer:
        await peer.ready()
        await mesh.sessions[0].send("disconnect", {"reason": "go"})
        await mesh.session(1)
