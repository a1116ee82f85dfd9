"""What a peer answers, across sessions and at its end."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fake_mesh import fake_mesh
from loops import until
from muster import connect_peer
from muster._peer import events
from muster._peer.loop_thread import LoopThread
from peers import OTHER_TASK, Held, joined, of_type

if TYPE_CHECKING:
    from muster import PeerEvent


def test_py21_a_program_that_ends_without_closing_its_peer_releases_the_work() -> None:
    thread = LoopThread("fake-mesh")
    context = fake_mesh()
    mesh = thread.run_and_wait(context.__aenter__())

    async def program() -> dict[str, Any]:
        held = Held()
        peer = connect_peer(mesh.url, handlers={"hold": held})
        await peer.ready()
        session = mesh.sessions[0]
        offer = await asyncio.to_thread(thread.run_and_wait, session.offer("hold", 1))
        await until(lambda: held.begun)
        return offer

    offer = asyncio.run(program())
    session = mesh.sessions[0]
    if sys.version_info >= (3, 11):
        release = session.message("task_release", task_id=offer["task_id"])
        assert thread.run_and_wait(release)["payload"]["begun"] is True
    thread.run_and_wait(session.offer("hold", 2))
    thread.run_and_wait(session.closed())
    assert session.of_type("disconnect")[0]["reason"] == "the event loop of the program has ended"
    thread.run_and_wait(context.__aexit__(None, None, None))
    thread.post(thread.stop_after, 0)


async def test_py19_a_result_is_kept_until_it_is_confirmed_and_sent_again() -> None:
    async with fake_mesh() as mesh:
        told: list[PeerEvent] = []
        peer, session = await joined(mesh, {"echo": lambda payload: payload}, told)
        async with peer:
            session.confirms = False
            offer = await session.offer("echo", 5, fence=4)
            await session.result(offer)
            await session.message("ping", confirm=True)
            await session.close(1011, "lost")
            second = await mesh.session(1)
            assert second.hello["held"] == [{"task_id": offer["task_id"], "fence": 4}]
            again = await second.result(offer)
            assert again == {"task_id": offer["task_id"], "fence": 4, "ok": True, "result": 5}
            await until(lambda: of_type(told, events.TaskSucceeded))
            await second.close(1011, "lost")
            third = await mesh.session(2)
            assert third.hello["held"] == []
            await peer.close()
            await third.closed()
            assert third.of_type("task_result") == []


@pytest.mark.parametrize("code", ["unavailable", "storage_full"])
async def test_py19_what_the_mesh_cannot_take_for_now_is_sent_again(code: str) -> None:
    async with fake_mesh() as mesh:
        told: list[PeerEvent] = []
        peer, session = await joined(mesh, {"echo": lambda payload: payload}, told)
        async with peer:
            session.confirms = False
            offer = await session.offer("echo", 5)
            sent = await session.message("task_result", task_id=offer["task_id"])
            error = {"code": 1004, "message": "later", "details": code, "retry_after": 0}
            await session.send("error", error, sent["id"])
            await until(lambda: len(session.of_type("task_result")) == 2)
            session.confirms = True
            await until(lambda: of_type(told, events.TaskSucceeded) or session.confirms)
            assert of_type(told, events.MeshRefused) == []


async def test_py19_a_result_that_the_mesh_refuses_is_dropped() -> None:
    async with fake_mesh() as mesh:
        told: list[PeerEvent] = []
        peer, session = await joined(mesh, {"echo": lambda payload: payload}, told)
        async with peer:
            session.confirms = False
            offer = await session.offer("echo", 5)
            sent = await session.message("task_result", task_id=offer["task_id"])
            error = {"code": 1004, "message": "another peer has it", "details": "lease_lost"}
            await session.send("error", error, sent["id"])
            await until(lambda: of_type(told, events.TaskCancelled))
            assert "another peer has it" in of_type(told, events.TaskCancelled)[0].reason
            await session.close(1011)
            second = await mesh.session(1)
            assert second.hello["held"] == []


async def test_py20_a_task_that_is_offered_again_goes_on_under_the_new_fence() -> None:
    held = Held()
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {"hold": held})
        async with peer:
            offer = await session.offer("hold", 1, fence=1)
            await until(lambda: held.begun)
            again = {**offer, "fence": 5, "attempt": 2}
            await session.send("task_offer", {**offer, "fence": 0})
            await session.send("task_offer", again)
            await session.message("task_accept", task_id=offer["task_id"], fence=5)
            held.release()
            assert (await session.result(offer))["fence"] == 5
            assert held.begun == [1]


async def test_py20_work_goes_on_while_the_peer_reconnects_and_what_waits_is_given_up() -> None:
    held = Held()
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {"hold": held})
        async with peer:
            running = await session.offer("hold", "running")
            waiting = await session.offer("hold", "waiting")
            await session.message("task_accept", task_id=waiting["task_id"], queued=True)
            await session.close(1011)
            second = await mesh.session(1)
            assert second.hello["held"] == [{"task_id": running["task_id"], "fence": 1}]
            held.release()
            assert (await second.result(running))["result"] == "running"
            assert held.begun == ["running"]


async def test_py21_a_drain_hands_back_what_waits_and_finishes_what_runs() -> None:
    held = Held()
    async with fake_mesh() as mesh:
        told: list[PeerEvent] = []
        peer, session = await joined(mesh, {"hold": held}, told)
        running = await session.offer("hold", "running")
        waiting = await session.offer("hold", "waiting")
        await session.message("task_accept", task_id=waiting["task_id"], queued=True)
        await until(lambda: held.begun)
        draining = asyncio.create_task(peer.drain(30, "maintenance"))
        drain = await session.message("drain", reason="maintenance")
        assert 29 < drain["payload"]["timeout_seconds"] <= 30
        await session.message("task_release", task_id=waiting["task_id"], begun=False)
        late = await session.offer("hold", "late")
        await session.message("task_release", task_id=late["task_id"], begun=False)
        await session.close(1011)
        second = await mesh.session(1)
        assert second.hello["slots"] == 0
        await second.message("drain", reason="maintenance")
        held.release()
        await second.result(running)
        await draining
        await peer.closed()
        assert [event.by for event in of_type(told, events.Draining)] == ["peer"]


async def test_py21_what_still_runs_at_the_end_of_a_drain_is_released() -> None:
    held = Held()
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {"hold": held})
        offer = await session.offer("hold", 1)
        await until(lambda: held.begun)
        await session.send("drain", {"reason": "by the operator", "timeout_seconds": 0.2})
        release = await session.message("task_release", task_id=offer["task_id"])
        assert release["payload"]["begun"] is True
        await peer.closed()
        await until(lambda: held.cancelled)


async def test_py21_a_peer_that_closes_releases_what_it_holds() -> None:
    held = Held()
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {"hold": held})
        offer = await session.offer("hold", 1)
        await until(lambda: held.begun)
        await peer.close("enough")
        await session.closed()
        [release] = session.of_type("task_release")
        assert release == {
            "task_id": offer["task_id"],
            "fence": 1,
            "reason": "enough",
            "begun": True,
        }
        assert session.of_type("drain")[0]["timeout_seconds"] == 0
        await until(lambda: held.cancelled == [(1, "enough")])


async def test_py22_many_answers_are_sent_within_the_window_of_the_mesh() -> None:
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {"echo": lambda payload: payload}, slots=256)
        async with peer:
            answered: set[str] = set()
            for _ in range(6):
                offers = [await session.offer("echo", number) for number in range(200)]
                wanted = {offer["task_id"] for offer in offers}
                await until(
                    lambda: (
                        wanted  # noqa: B023
                        <= answered | {each["task_id"] for each in session.of_type("task_result")}
                    )
                )
            assert len(session.of_type("task_result")) == 1_200
            assert len(session.of_type("ping")) >= 1_200 // 64


async def test_py22_a_mesh_that_confirms_nothing_gets_no_more_than_the_window() -> None:
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {}, slots=1)
        async with peer:
            session._answer_ping = _answer_none  # type: ignore[method-assign, assignment]
            for _ in range(700):
                await session.offer("other")
            await until(lambda: len(session.of_type("task_refuse")) == 512)
            await session.send("ping", {"sentAt": 1})
            await session.message("pong")
            assert len(session.of_type("task_refuse")) == 512


async def _answer_none(_: Any) -> None:
    pass


async def test_py24_an_offer_that_was_held_back_on_its_way_is_not_taken() -> None:
    async with fake_mesh() as mesh:
        told: list[PeerEvent] = []
        peer, session = await joined(mesh, {"echo": lambda payload: payload}, told)
        async with peer:
            offer = {"task_id": OTHER_TASK, "fence": 1, "kind": "echo", "attempt": 1}
            offer |= {"lease_seconds": 60, "payload": 1}
            await session.send("task_offer", offer, ts="2020-01-01T00:00:00Z")
            await until(lambda: of_type(told, events.FrameIgnored))
            reason = of_type(told, events.FrameIgnored)[0].reason
            assert reason == "an offer that is no longer valid"
            assert session.of_type("task_accept") == []
