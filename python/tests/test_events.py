from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import muster
from muster._events.sse import MessageTooLongError, SseMessage, SseParser
from servers import Request, Write, answer, json_answer, problem, serving, task

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
TOKEN = "mst_0123456789abcdef0123456789abcdef"


def event(number: int, kind: str = "task.running", **members: Any) -> bytes:
    """An event about a task, as a stream has it."""
    position = f"{number}-00000000"
    data = {
        "id": position, "at": "2026-11-29T00:00:00.000Z", "type": kind, "task": task()["id"],
        "kind": "k", "owner": "admin", "peer": None, "fence": 1, "state": "running",
        "previous": None, "progress": None, "message": None, **members,
    }  # fmt: skip
    return f"id: {position}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def stream(*parts: bytes, then: float = 0) -> Write:
    """A stream that ends after these parts, or stays open for a while."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        for part in parts:
            writer.write(part)
            await writer.drain()
        await asyncio.sleep(then)

    return Write(write)


async def first_events(count: int, *answers: Any, **options: Any) -> tuple[list[Any], list[str]]:
    """So many events, and the targets of the requests."""
    found: list[Any] = []
    async with serving(*answers) as server, muster.controller(server.url, TOKEN) as mesh:
        async for each in mesh.events(**options):
            found.append(each)
            if len(found) == count:
                break
        return found, [request.target for request in server.requests]


async def test_py46_a_stream_is_opened_again_where_it_was() -> None:
    begin = b"retry: 2000\nid: 5-00000000\n\n"
    streams = (
        stream(begin, event(6), b": heartbeat\n\n", event(7)[:-20]),
        stream(event(7), event(8)),
        stream(event(9), then=30),
    )
    found, targets = await first_events(4, *streams, types=["task.", "peer."])
    assert [each.id for each in found] == [f"{number}-00000000" for number in (6, 7, 8, 9)]
    assert [target.partition("after=")[2] for target in targets] == [
        "", "6-00000000", "8-00000000",
    ]  # fmt: skip
    assert all("type=task.%2Cpeer." in target or "type=task.,peer." in target for target in targets)


async def test_py46_a_gap_is_told_and_unknown_events_are_left_out() -> None:
    gap = {"reason": "overwritten", "after": "1-00000000", "until": "7-00000000"}
    parts = (
        f"id: 7-00000000\nevent: gap\ndata: {json.dumps(gap)}\n\n".encode(),
        event(8, kind="moon.full"),
        b"id: 9-00000000\nevent: x\ndata: no json\n\n",
        event(10, kind="alert.firing"),
        event(11),
    )
    found, _ = await first_events(2, stream(*parts, then=30))
    assert found[0] == muster.GapEvent("7-00000000", "overwritten", "1-00000000")
    assert found[1].id == "11-00000000"


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (problem("unauthorized", 401), "unauthorized"),
        (problem("invalid_request", 400), "invalid_request"),
        (answer(b"<html>", content_type="text/html"), "invalid_response"),
        (stream(b'event: end\ndata: {"code":"token_expired","detail":"d"}\n\n'), "token_expired"),
        (stream(b"event: end\ndata: {}\n\n"), "unauthorized"),
        (stream(b"event: gap\ndata: {}\n\n"), "invalid_response"),
        (stream(b"data: " + b"x" * 70_000), "invalid_response"),
    ],
)
async def test_py46_a_refused_stream_ends_the_iteration(refusal: Any, code: str) -> None:
    with pytest.raises(muster.MusterApiError) as raised:
        await first_events(1, refusal)
    assert raised.value.code == code


async def test_py46_an_outage_ends_the_iteration_after_its_time() -> None:
    with pytest.raises(muster.MusterApiError):
        await first_events(1, answer(b"", 502), outage=0.3)


async def test_py46_a_silent_stream_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muster._events.follow_events.EVENT_SILENCE_MAX", 0.3)
    found, targets = await first_events(2, stream(event(1), then=30), stream(event(2), then=30))
    assert [each.id for each in found] == ["1-00000000", "2-00000000"]
    assert len(targets) == 2


async def test_py46_a_program_may_take_its_time_for_an_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("muster._events.follow_events.EVENT_SILENCE_MAX", 0.5)
    streams = stream(event(1), event(2), event(3), then=30)
    async with serving(streams) as server, muster.controller(server.url, TOKEN) as mesh:
        seen = []
        async for each in mesh.events():
            seen.append(each.id)
            if len(seen) == 3:
                break
            await asyncio.sleep(0.7)
        assert len(server.requests) == 1


def mesh_with(
    states: list[str], events: Callable[[asyncio.StreamWriter], Awaitable[None]] | bytes
) -> Callable[[Request], Any]:
    """Answers to requests for a task in these states one after the other, and to requests for events."""

    def respond(request: Request) -> Any:
        if request.target.startswith("/v1/events"):
            return events if isinstance(events, bytes) else Write(events)
        return json_answer(task(states.pop(0) if len(states) > 1 else states[0]))

    return respond


async def test_py47_followed_tasks_share_one_stream() -> None:
    states = ["queued"] * 3 + ["running"] * 6 + ["succeeded"]

    async def events(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"id: 1-00000000\n\n")
        for number in range(2, 200):
            writer.write(event(number))
            await writer.drain()
            await asyncio.sleep(0.02)

    async def followed(mesh: muster.Controller) -> list[str]:
        return [each.state async for each in mesh.tasks.follow(task()["id"])]

    async with serving(mesh_with(states, events)) as server:
        async with muster.controller(server.url, TOKEN) as mesh:
            seen = await asyncio.gather(*(followed(mesh) for _ in range(3)))
        streams = [each.target for each in server.requests if "/v1/events" in each.target]
    assert all(each[0] == "queued" and each[-1] == "succeeded" for each in seen)
    assert len(streams) == 1


async def test_py47_a_change_before_a_second_follower_watches_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The stream already covers the task, and has told of its end before the second one is watched."""
    monkeypatch.setattr("muster._events.task_changes._READ_INTERVAL", 3_600)
    states = ["running", "running", "running", "succeeded"]
    told = asyncio.Event()

    async def events(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"id: 1-00000000\n\n")
        await told.wait()

    async with (
        serving(mesh_with(states, events)) as server,
        muster.controller(server.url, TOKEN) as mesh,
    ):
        first = mesh.tasks.follow(task()["id"])
        assert (await anext(first)).state == "running"
        waiting = asyncio.create_task(anext(first))
        while not any("/v1/events" in each.target for each in server.requests):
            await asyncio.sleep(0.01)
        while len(server.requests) < 3:
            await asyncio.sleep(0.01)
        second = mesh.tasks.follow(task()["id"])
        assert (await anext(second)).state == "running"
        assert (await anext(second)).state == "succeeded"
        told.set()
        assert (await waiting).state == "succeeded"


async def test_py47_a_mesh_without_a_stream_is_polled() -> None:
    states = ["queued", "queued", "running", "succeeded"]
    async with serving(mesh_with(states, problem("not_found", 404))) as server:
        async with muster.controller(server.url, TOKEN) as mesh:
            seen = [each.state async for each in mesh.tasks.follow(task()["id"])]
        targets = [each.target for each in server.requests]
    assert seen == ["queued", "running", "succeeded"]
    assert sum("/v1/events" in target for target in targets) == 1
    assert any("wait=1" in target for target in targets)


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1_000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_py46_messages_come_in_any_parts(chunk: int, end: str) -> None:
    lines = [":c", "id: 1", "event:e", "data: a", "data:  b", "x: y", "", "data", "", "id: 2", ""]
    text = "".join(line + end for line in (*lines, "", "data: cut off"))
    parser = SseParser()
    parts = [text[at : at + chunk] for at in range(0, len(text), chunk)]
    messages = [message for part in parts for message in parser.push(part)]
    assert messages == [
        SseMessage("1", "e", "a\n b"),
        SseMessage(None, "", ""),
        SseMessage("2", "", None),
    ]


@given(st.lists(st.text(max_size=60), max_size=40))
def test_py46_any_text_is_messages_or_refused(parts: list[str]) -> None:
    whole, apart = SseParser(), SseParser()
    try:
        expected = whole.push("".join(parts) + "\n")
    except MessageTooLongError:
        return
    assert [message for part in [*parts, "\n"] for message in apart.push(part)] == expected
