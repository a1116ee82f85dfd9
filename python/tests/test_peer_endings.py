"""What ends a session, and what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fake_mesh import fake_mesh
from loops import until
from muster import (
    PeerError,
)
from muster._peer import events
from peers import of_type, peer_of

if TYPE_CHECKING:
    from muster import PeerEvent


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
