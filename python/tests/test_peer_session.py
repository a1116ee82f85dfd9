"""The session of a peer, against a mesh that the tests script."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from fake_mesh import FakeMesh, fake_mesh
from loops import until
from muster import (
    OptionsError,
    Peer,
    PeerError,
    connect_peer,
    generate_identity,
    identity_from,
)
from muster._connection.failure import ConnectFailure
from muster._peer import events
from muster._peer.loop_thread import LoopThread
from process_tasks import hold_lock_until

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

    from muster import PeerEvent

T = TypeVar("T")


def peer_of(mesh: FakeMesh, told: list[PeerEvent] | None = None, **options: Any) -> Peer:
    options.setdefault("handlers", {"echo": lambda payload: payload})
    return connect_peer(
        options.pop("url", mesh.url),
        on_event=None if told is None else told.append,
        **options,
    )


def of_type(told: list[PeerEvent], kind: type[Any]) -> list[Any]:
    return [event for event in told if isinstance(event, kind)]


async def test_py1_a_peer_proves_its_key_and_says_what_it_is() -> None:
    keys = generate_identity()
    async with fake_mesh() as mesh:
        peer = peer_of(
            mesh,
            private_key=keys.private_key.hex(),
            name="worker 1",
            capabilities=["gpu", "memory_gib=16"],
            slots=3,
            prefetch=False,
        )
        async with peer:
            joined = await peer.ready()
            session = await mesh.session()
            assert session.peer_key == keys.public_key
            assert session.hello == {
                "name": "worker 1",
                "role": "worker",
                "capabilities": ["gpu", "memory_gib=16"],
                "kinds": ["echo"],
                "slots": 3,
                "prefetch": False,
                "client": "muster-python/1",
                "held": [],
            }
            assert (joined.name, joined.public_key) == ("fake", mesh.keys.public_key.hex())
            assert (peer.id, peer.public_key) == (keys.id, keys.public_key.hex())
            assert repr(peer) == f"Peer({keys.id}, active)"
        assert repr(peer) == f"Peer({keys.id}, closed)"
        await session.closed()
        assert session.of_type("disconnect") == [{"reason": "the peer leaves", "code": 1000}]


async def test_py1_a_server_with_another_key_than_the_pinned_one_gets_no_hello() -> None:
    async with fake_mesh() as mesh:
        other = generate_identity().public_key.hex()
        peer = peer_of(mesh, mesh_key=other)
        with pytest.raises(PeerError) as refused:
            await peer.ready()
        assert refused.value.code == "mesh_unproved"
        assert mesh.sessions == []
        with pytest.raises(PeerError):
            await peer.closed()


async def test_py1_a_server_that_claims_a_key_that_it_does_not_have_is_refused() -> None:
    async with fake_mesh(claimed_key=generate_identity().public_key.hex()) as mesh:
        with pytest.raises(PeerError) as refused:
            await peer_of(mesh).ready()
        assert refused.value.code == "mesh_unproved"


@pytest.mark.parametrize(
    "change",
    [
        lambda message: message[:-1] + bytes([message[-1] ^ 1]),
        lambda message: message[:40],
        lambda _: b"",
        lambda message: message + b"x",
    ],
)
async def test_py1_an_altered_handshake_message_is_refused(change: Any) -> None:
    async with fake_mesh(message2=change) as mesh:
        with pytest.raises(PeerError) as refused:
            await peer_of(mesh).ready()
        assert refused.value.code == "mesh_unproved"


async def test_py2_the_key_of_the_first_connection_is_kept_and_expected_from_then_on(
    tmp_path: Path,
) -> None:
    pins = tmp_path / "settings" / "known-meshes.json"
    async with fake_mesh() as mesh:
        async with peer_of(mesh, pin_file=pins) as peer:
            await peer.ready()
        origin = mesh.url
        key = mesh.keys.public_key.hex()
        assert json.loads(pins.read_text()) == {origin: {"key": key, "next": None}}
        mesh.claimed_key = generate_identity().public_key.hex()
        async with peer_of(mesh, pin_file=pins) as peer:
            await peer.ready()
        pins.write_text(json.dumps({origin: {"key": mesh.claimed_key, "next": None}}))
        with pytest.raises(PeerError) as refused:
            await peer_of(mesh, pin_file=pins).ready()
        assert refused.value.code == "mesh_unproved"


async def test_py2_a_pin_that_another_process_made_meanwhile_ends_the_peer(tmp_path: Path) -> None:
    pins = tmp_path / "known-meshes.json"
    async with fake_mesh(welcomes=False) as mesh:
        peer = peer_of(mesh, pin_file=pins)
        async with peer:
            session = await mesh.session()
            other = generate_identity().public_key.hex()
            pins.write_text(json.dumps({mesh.url: {"key": other, "next": None}}))
            await session.welcome()
            with pytest.raises(PeerError) as refused:
                await peer.ready()
            assert refused.value.code == "mesh_key_mismatch"
            assert json.loads(pins.read_text())[mesh.url]["key"] == other


async def test_py3_a_key_file_is_created_for_its_owner_only_and_used_again(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "peer.json"
    async with fake_mesh() as mesh:
        first = peer_of(mesh, key_file=path)
        assert path.stat().st_mode & 0o777 == 0o600
        stored = json.loads(path.read_text())
        assert identity_from(stored["private_key"]).id == stored["id"] == first.id
        assert peer_of(mesh, key_file=path).id == first.id
        path.chmod(0o644)
        with pytest.warns(UserWarning, match="chmod 600"):
            peer_of(mesh, key_file=path)
        path.write_text("{}")
        path.chmod(0o600)
        with pytest.raises(OptionsError, match="not a key file"):
            peer_of(mesh, key_file=path)


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (4403, "revoked: by the operator", "revoked"),
        (4403, "not_allowed: ask the operator", "not_allowed"),
        (4403, "join_key_invalid: used up", "join_key_invalid"),
        (4403, "something new: else", "not_allowed"),
    ],
)
async def test_py4_a_peer_that_is_denied_stops(code: int, reason: str, expected: str) -> None:
    async with fake_mesh(welcomes=False) as mesh:
        peer = peer_of(mesh)
        async with peer:
            session = await mesh.session()
            await session.close(code, reason)
            with pytest.raises(PeerError) as refused:
                await peer.closed()
            assert refused.value.code == expected
            assert reason in str(refused.value)
        assert len(mesh.sessions) == 1


async def test_py4_a_session_that_is_superseded_soon_waits_and_says_so() -> None:
    async with fake_mesh() as mesh:
        told: list[PeerEvent] = []
        async with peer_of(mesh, told) as peer:
            await peer.ready()
            await mesh.sessions[0].close(4409, "superseded")
            await until(lambda: of_type(told, events.KeyInUseElsewhere))
            [event] = of_type(told, events.KeyInUseElsewhere)
            assert 3.7 <= event.retry_in <= 6.3
            assert peer.state == "waiting"


async def test_py4_a_rejection_says_when_to_come_back() -> None:
    async with fake_mesh(welcomes=False) as mesh:
        told: list[PeerEvent] = []
        async with peer_of(mesh, told):
            session = await mesh.session()
            rejection = {"code": "mesh_full", "reason": "come later", "retry_after": 20}
            await session.send("rejection", rejection)
            await session.close(4429, "mesh_full: come later")
            await until(lambda: of_type(told, events.Disconnected))
            assert of_type(told, events.Rejected)[0].code == "mesh_full"
            assert 20 <= of_type(told, events.Disconnected)[0].retry_in <= 20.5


async def test_py4_a_mesh_that_sends_no_welcome_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muster._peer.session_loop.DIAL_TIMEOUT", 0.3)
    async with fake_mesh(welcomes=False) as mesh:
        told: list[PeerEvent] = []
        async with peer_of(mesh, told):
            await mesh.session(1)
            assert of_type(told, events.Disconnected)[0].code == 4408


async def test_py4_a_drain_that_the_mesh_has_completed_ends_the_peer_without_an_error() -> None:
    async with fake_mesh() as mesh, peer_of(mesh) as peer:
        await peer.ready()
        await mesh.sessions[0].close(1000, "drained: by the operator")
        await peer.closed()


async def test_py4_another_close_leads_to_a_new_session() -> None:
    async with fake_mesh() as mesh:
        told: list[PeerEvent] = []
        async with peer_of(mesh, told) as peer:
            await peer.ready()
            for number, code in enumerate((1000, 1011, 4400, 4408, 4429, 4503)):
                session = await mesh.session(number)
                await session.close(code, "why")
                await until(lambda: len(of_type(told, events.Disconnected)) > number)  # noqa: B023
                event = of_type(told, events.Disconnected)[number]
                assert (event.code, event.reason) == (code, "why")
                if number == 2:
                    break
            await mesh.session(3)


async def test_py5_a_frame_that_is_not_the_next_one_ends_the_connection() -> None:
    async with fake_mesh() as mesh:
        told: list[PeerEvent] = []
        async with peer_of(mesh, told) as peer:
            await peer.ready()
            session = mesh.sessions[0]
            await session.socket.send(session.sealer.seal(b"{}")[:-1])
            await mesh.session(1)
            [event] = of_type(told, events.Disconnected)
            assert event.code == 4400
            assert session.close_code == 4400


async def test_py5_what_is_no_message_is_ignored_and_the_session_goes_on() -> None:
    async with fake_mesh() as mesh:
        told: list[PeerEvent] = []
        async with peer_of(mesh, told) as peer:
            await peer.ready()
            session = mesh.sessions[0]
            texts = [
                "",
                "[]",
                "{}",
                "nul",
                '{"id":1}',
                "[" * 100_000,
                '{"a":' * 40 + "1" + "}" * 40,
            ]
            for text in texts:
                await session.send_text(text)
            await session.send("unknown", {})
            await session.send("welcome", {})
            await session.send("task_offer", {"task_id": "x"})
            await session.send("task_cancel", None)
            await session.send("__proto__", {"__proto__": 1})
            await session.socket.send("hello")
            offer = await session.offer("echo", {"__proto__": [1]})
            result = await session.result(offer)
            assert result["result"] == {"__proto__": [1]}
            await until(lambda: len(of_type(told, events.FrameIgnored)) == len(texts) + 6)
            assert len(mesh.sessions) == 1


async def test_py5_a_frame_that_is_larger_than_allowed_ends_the_connection() -> None:
    async with fake_mesh() as mesh, peer_of(mesh) as peer:
        await peer.ready()
        await mesh.sessions[0].send_text("x" * 1_048_577)
        await mesh.session(1)


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
