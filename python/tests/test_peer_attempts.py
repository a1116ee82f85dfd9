"""How a peer runs what it is offered."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from fake_mesh import fake_mesh
from loops import until
from muster import FinalError, JsonText, TaskContext, TaskError
from muster._peer import events
from peers import OTHER_TASK, Held, joined, of_type

if TYPE_CHECKING:
    from muster import PeerEvent


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
