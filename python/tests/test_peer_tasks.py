"""How a peer answers offers, against a mesh that the tests script."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import process_tasks
from fake_mesh import FakeMesh, Session, fake_mesh
from loops import until
from muster import FinalError, JsonText, Peer, TaskContext, TaskError, connect_peer
from muster._peer import events
from muster._peer.loop_thread import LoopThread

if TYPE_CHECKING:
    from muster import PeerEvent


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


def of_type(told: list[PeerEvent], kind: type[Any]) -> list[Any]:
    return [event for event in told if isinstance(event, kind)]


async def test_py13_a_handler_gets_payload_and_context_and_its_result_is_sent() -> None:
    seen: list[Any] = []

    async def in_loop(payload: Any, context: TaskContext) -> Any:
        seen.append((threading.current_thread(), context))
        return {"got": payload}

    def in_thread(payload: Any, context: TaskContext) -> Any:
        seen.append((threading.current_thread(), context))
        return [payload, context.payload_text]

    trace = f"00-{'ab' * 16}-{'cd' * 8}-01"
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {"loop": in_loop, "thread": in_thread})
        async with peer:
            more = {"attempt": 2, "fence": 9, "attempt_timeout_seconds": 60, "traceparent": trace}
            first = await session.offer("loop", {"a": [1.50, "ü"]}, **more)
            result = await session.result(first)
            assert result == {
                "task_id": first["task_id"],
                "fence": 9,
                "ok": True,
                "result": {"got": {"a": [1.5, "ü"]}},
            }
            accept = await session.message("task_accept", task_id=first["task_id"])
            assert accept["payload"] == {"task_id": first["task_id"], "fence": 9}
            await session.send_text(
                json.dumps(
                    {
                        "id": first["task_id"],
                        "type": "task_offer",
                        "from": "m",
                        "to": "p",
                        "ts": datetime.now(timezone.utc).isoformat(),
                        "payload": {**first, "kind": "thread", "task_id": OTHER_TASK},
                    }
                ).replace("1.5", "1.50")
            )
            await until(lambda: len(seen) == 2)
            await until(lambda: len(session.of_type("task_result")) == 2)
            text = session.of_type("task_result")[1]["result"][1]
            assert "1.50" in text
    assert seen[0][0] is threading.main_thread()
    assert seen[1][0] is not threading.main_thread()
    context = seen[0][1]
    facts = (context.kind, context.attempt, context.fence, context.traceparent)
    assert facts == ("loop", 2, 9, trace)
    assert 0 < context.time_left <= 60


@pytest.mark.parametrize(
    ("raised", "error", "retry"),
    [
        (ValueError("broken"), "ValueError: broken", True),
        (KeyError(), "KeyError", True),
        (TaskError("later"), "later", True),
        (TaskError("never", retry=False), "never", False),
        (FinalError("never"), "never", False),
        (SystemExit(3), "SystemExit: 3", True),
        (RuntimeError("x" * 3_000), f"RuntimeError: {'x' * 1_986}", True),
        (RuntimeError("\ud800"), "RuntimeError: ?", True),
    ],
)
async def test_py14_what_a_handler_raises_is_reported(
    raised: BaseException,
    error: str,
    retry: bool,
) -> None:
    def in_thread(_: Any) -> None:
        raise raised

    async def in_loop(_: Any) -> None:
        raise raised

    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {"thread": in_thread, "loop": in_loop})
        async with peer:
            for kind in ("thread", "loop"):
                offer = await session.offer(kind)
                result = await session.result(offer)
                assert result["ok"] is False
                assert (result["error"], result["retry"]) == (error, retry)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"a": [1, math.nan]}, "result.a[1]: JSON has no nan"),
        ({"a": 2**53}, "result.a: the integer is beyond 2^53"),
        (b"x", "JSON has no bytes"),
        ({1: 2}, "no key of the type int"),
        ("\ud800", "half of a surrogate pair"),
        (object(), "JSON has no object"),
    ],
)
async def test_py15_a_result_that_json_would_change_fails_for_good(value: Any, says: str) -> None:
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {"bad": lambda _: value})
        async with peer:
            result = await session.result(await session.offer("bad"))
            assert result["retry"] is False
            assert says in result["error"]
            assert result["error"].startswith("the result is not JSON: ")


async def test_py15_a_json_text_is_sent_as_it_is() -> None:
    async with fake_mesh() as mesh:
        text = '{"id": 9007199254740993}'
        peer, session = await joined(mesh, {"text": lambda _: JsonText(text)})
        async with peer:
            offer = await session.offer("text")
            assert (await session.result(offer))["result"] == {"id": 9007199254740993}


async def test_py16_slots_are_kept_and_one_task_more_waits() -> None:
    held = Held()
    async with fake_mesh() as mesh:
        told: list[PeerEvent] = []
        peer, session = await joined(mesh, {"hold": held}, told, slots=2)
        async with peer:
            offers = [await session.offer("hold", number) for number in range(4)]
            ids = [offer["task_id"] for offer in offers]
            refusal = await session.message("task_refuse", task_id=ids[3])
            assert refusal["payload"]["reason"] == "no free slot"
            queued = await session.message("task_accept", task_id=ids[2])
            assert queued["payload"]["queued"] is True
            await until(lambda: sorted(held.begun) == [0, 1])
            held.release()
            await session.result(offers[2])
            accepts = [each for each in session.of_type("task_accept") if each["task_id"] == ids[2]]
            assert [each.get("queued") for each in accepts] == [True, None]
            assert [event.task_id for event in of_type(told, events.TaskRefused)] == [ids[3]]


async def test_py16_without_prefetch_or_slots_or_a_handler_an_offer_is_refused() -> None:
    held = Held()
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {"hold": held}, prefetch=False)
        async with peer:
            first = await session.offer("hold")
            second = await session.offer("hold")
            await session.message("task_refuse", task_id=second["task_id"], reason="no free slot")
            other = await session.offer("other")
            await session.message(
                "task_refuse", task_id=other["task_id"], reason="no handler for other"
            )
            held.release()
            await session.result(first)
            peer.announce(slots=0, prefetch=True)
            await session.message("announce", slots=0)
            third = await session.offer("hold")
            await session.message("task_refuse", task_id=third["task_id"])


async def test_py16_a_task_that_waits_is_given_back_when_the_mesh_asks() -> None:
    held = Held()
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {"hold": held})
        async with peer:
            running = await session.offer("hold", "running")
            waiting = await session.offer("hold", "waiting")
            await session.message("task_accept", task_id=waiting["task_id"], queued=True)
            for offer in (running, waiting):
                await session.send("task_return", {"task_id": offer["task_id"], "fence": 1})
            release = await session.message("task_release", task_id=waiting["task_id"])
            assert release["payload"]["begun"] is False
            held.release()
            await session.result(running)
            assert held.begun == ["running"]


async def test_py17_a_cancelled_attempt_cancels_its_handler_and_frees_the_slot() -> None:
    held = Held()
    noticed = threading.Event()

    def watch(_: Any, context: TaskContext) -> None:
        context.wait_cancelled()
        noticed.set()

    async with fake_mesh() as mesh:
        told: list[PeerEvent] = []
        handlers = {"hold": held, "watch": watch, "echo": lambda payload: payload}
        peer, session = await joined(mesh, handlers, told, prefetch=False)
        async with peer:
            for kind in ("hold", "watch"):
                offer = await session.offer(kind, kind, fence=3)
                task_id = offer["task_id"]
                await until(lambda: of_type(told, events.TaskStarted)[-1:])
                await session.message("task_accept", task_id=task_id)
                older = {"task_id": task_id, "fence": 2, "reason": "old"}
                await session.send("task_cancel", older)
                cancel = {"task_id": task_id, "fence": 3, "reason": "by its owner"}
                await session.send("task_cancel", cancel)
                while True:
                    echo = await session.offer("echo", 1)
                    await until(
                        lambda: any(
                            each["task_id"] == echo["task_id"]  # noqa: B023
                            for each in session.of_type("task_refuse")
                            + session.of_type("task_accept")
                        )
                    )
                    accepted = [each["task_id"] for each in session.of_type("task_accept")]
                    if echo["task_id"] in accepted:
                        await session.result(echo)
                        break
            assert held.cancelled == [("hold", "by its owner")]
            assert noticed.is_set()
            reasons = [event.reason for event in of_type(told, events.TaskCancelled)]
            assert reasons == ["by its owner", "by its owner"]


async def test_py17_a_handler_that_waits_for_something_cancelled_has_failed() -> None:
    async def wait(_: Any) -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {"wait": wait})
        async with peer:
            result = await session.result(await session.offer("wait"))
            assert (result["error"], result["retry"]) == ("CancelledError", True)


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


async def test_py17_an_attempt_that_takes_too_long_fails_at_once() -> None:
    held = Held()
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {"hold": held})
        async with peer:
            offer = await session.offer("hold", 1, attempt_timeout_seconds=0.2)
            result = await session.result(offer)
            assert (result["error"], result["retry"]) == (
                "the attempt took longer than 0.2 s",
                True,
            )
            await until(lambda: held.cancelled)
            assert held.cancelled[0][1] == result["error"]


async def test_py18_progress_renews_the_lease_and_only_the_newest_is_sent() -> None:
    release = threading.Event()

    def report(_: Any, context: TaskContext) -> None:
        for step in range(2_000):
            context.progress(step / 1_000, f"step {step}")
        context.progress(None, "x" * 600)
        context.progress(math.nan, "last")
        release.wait()

    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {"report": report})
        async with peer:
            offer = await session.offer("report", lease_seconds=0.9)
            last = await session.message("task_progress", message="last")
            assert last["payload"]["progress"] == 1
            assert len(session.of_type("task_progress")) < 20
            count = len(session.of_type("task_progress"))
            await until(lambda: len(session.of_type("task_progress")) > count + 2)
            release.set()
            await session.result(offer)


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


PROCESSES = {
    "describe": process_tasks.describe,
    "crash": process_tasks.crash,
    "leave": process_tasks.leave,
    "raise": process_tasks.fail,
    "wait": process_tasks.wait_cancelled,
    "deaf": process_tasks.ignore_cancel,
    "children": process_tasks.start_threads,
}


async def test_py23_a_handler_in_a_process_gets_and_returns_the_same() -> None:
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, PROCESSES)
        async with peer:
            offer = await session.offer("describe", {"a": [1, "ü"]}, fence=4, attempt=2)
            result = await session.result(offer)
            described = result["result"]
            pid = described.pop("pid")
            assert pid != os.getpid()
            assert described == {
                "payload": {"a": [1, "ü"]},
                "task_id": offer["task_id"],
                "kind": "describe",
                "text": '{"a": [1, "\\u00fc"]}',
                "fence": 4,
                "attempt": 2,
                "traceparent": None,
                "has_time": False,
            }
            again = await session.result(await session.offer("describe"))
            assert again["result"]["pid"] == pid, "the process is used again"
            parent = await session.result(await session.offer("children"))
            assert parent["result"] == os.getpid()
            failures = {
                ("raise", "x"): ("ValueError: x", True),
                ("raise", "final"): ("never again", False),
                ("leave", 3): ("SystemExit: 3", True),
                ("crash", None): ("the process that ran the handler was ended by signal 6", True),
            }
            for (kind, payload), expected in failures.items():
                result = await session.result(await session.offer(kind, payload))
                assert (result["error"], result["retry"]) == expected
            after = await session.result(await session.offer("describe"))
            assert after["result"]["pid"] != pid


async def test_py23_a_process_is_told_of_a_cancellation_and_ended_if_it_does_not_stop(
    tmp_path: Path,
) -> None:
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, PROCESSES, slots=2)
        async with peer:
            for kind in ("wait", "deaf"):
                file = tmp_path / kind
                offer = await session.offer(kind, str(file))
                await until(lambda: file.exists() and file.read_text() != "")  # noqa: B023
                pid = file.read_text()
                cancel = {"task_id": offer["task_id"], "fence": 1, "reason": "by its owner"}
                await session.send("task_cancel", cancel)
                if kind == "wait":
                    await until(lambda: file.read_text() == "stopped: by its owner")  # noqa: B023
                else:
                    await until(lambda: not Path(f"/proc/{pid}").exists())  # noqa: B023


async def test_py23_processes_end_with_their_peer(tmp_path: Path) -> None:
    async with fake_mesh() as mesh:
        file = tmp_path / "deaf"
        peer, session = await joined(mesh, PROCESSES)
        await session.offer("deaf", str(file))
        await until(lambda: file.exists() and file.read_text() != "")
        pid = file.read_text()
        await peer.close()
        await until(lambda: not Path(f"/proc/{pid}").exists())


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
