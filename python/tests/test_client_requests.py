"""Requests of a controller, to servers that behave well or badly."""

from __future__ import annotations

import asyncio
import json
import socket
import warnings
from typing import Any

import pytest

import muster
from muster._http.api import Api, ApiRequest
from servers import Server, Write, answer, json_answer, problem, serving, task

TASK = json_answer(task())
ID = task()["id"]
TOKEN = "mst_0123456789abcdef0123456789abcdef"


async def get_with(*answers: Any, **options: Any) -> tuple[Server, Any]:
    """What `tasks.get` returns or raises."""
    async with serving(*answers) as server, muster.controller(server.url, TOKEN, **options) as mesh:
        try:
            return server, await mesh.tasks.get(ID)
        except muster.MusterError as error:
            return server, error


async def test_py43_a_busy_or_unreachable_mesh_is_asked_again() -> None:
    async def broken(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{")

    failures = [
        problem("rate_limited", 429, retry_after="0"),
        problem("unavailable", 503),
        Write(broken),
        answer(b"bad gateway", 502),
    ]
    server, found = await get_with(*failures, TASK)
    assert found.id == ID
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("status", "code", "tries"),
    [
        (401, "unauthorized", 1),
        (404, "not_found", 1),
        (500, "internal", 1),
        (507, "storage_full", 5),
    ],
)
async def test_py43_any_other_answer_is_raised_at_once(status: int, code: str, tries: int) -> None:
    server, error = await get_with(problem(code, status, "why"))
    assert (error.code, error.status, error.detail) == (code, status, "why")
    assert error.task_id == ID
    assert len(server.requests) == tries


async def test_py43_a_long_retry_after_is_left_to_the_caller() -> None:
    server, error = await get_with(problem("rate_limited", 429, retry_after="31"))
    assert (error.retry_after, len(server.requests)) == (31, 1)


async def test_py43_an_answer_whose_end_is_missing_counts_as_none() -> None:
    async def cut(writer: asyncio.StreamWriter) -> None:
        body = json.dumps(task()).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + body[:-9])

    server, found = await get_with(Write(cut), Write(cut), TASK)
    assert found.id == ID
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "body",
    [
        answer(b"<html>hello</html>", content_type="text/html"),
        answer(b"[1]", content_type="application/json"),
        answer(b"\xff\xfe", content_type="application/json"),
        answer(b'{"id": "1"}', content_type="application/json"),
        answer(b"[" * 100_000, content_type="application/json"),
        json_answer({**task(), "state": "paused"}),
        json_answer({**task(), "id": "00000000-0000-4000-8000-000000000000"}),
        answer(b" " * (16 * 1_048_576 + 1), content_type="application/json"),
        answer(b"moved", 302, location="http://127.0.0.1:1/"),
        answer(b"no", 404),
    ],
)
async def test_py43_what_is_no_mesh_is_said_to_be_none(body: bytes) -> None:
    server, error = await get_with(body)
    assert error.code == "invalid_response"
    assert len(server.requests) == 1


async def test_py43_a_redirect_is_not_followed_and_the_token_goes_nowhere_else() -> None:
    async with serving(TASK) as other:
        moved = answer(b"", 307, location=f"{other.url}/v1/tasks/{ID}")
        _, error = await get_with(moved)
        assert error.code == "invalid_response"
        assert other.requests == []


async def test_py43_why_a_server_can_not_be_reached() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        closed = listener.getsockname()[1]

    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        for url, reason in (
            (f"http://127.0.0.1:{closed}", "refused"),
            ("http://no-such-host.invalid", "host is not known"),
            (f"https://127.0.0.1:{port}", "TLS"),
        ):
            async with muster.controller(url) as mesh:
                with pytest.raises(muster.MusterApiError) as raised:
                    # A removal is not asked for again.
                    await mesh.kinds.remove("k")
            assert raised.value.code == "unreachable"
            assert reason in str(raised.value)


async def test_py42_the_token_is_in_no_text() -> None:
    async with muster.controller("http://127.0.0.1:9", TOKEN) as mesh:
        with pytest.raises(muster.MusterApiError) as raised:
            await mesh.kinds.remove("k")
        shown = [repr(mesh), repr(mesh.tasks), str(raised.value), repr(raised.value)]
        cause: BaseException | None = raised.value
        while cause is not None:
            shown.append(repr(cause))
            cause = cause.__cause__ or cause.__context__
    assert TOKEN not in "".join(shown)
    with pytest.raises(muster.OptionsError) as refused:
        muster.controller("http://127.0.0.1:9", f"{TOKEN}\n")
    assert TOKEN not in str(refused.value)


async def test_py42_a_token_without_encryption_is_warned_of() -> None:
    with pytest.warns(muster.InsecureWarning, match="without encryption") as warned:
        await muster.controller("http://mesh.example", TOKEN).close()
    assert TOKEN not in str(warned[0].message)
    for url in ("https://mesh.example", "http://127.0.0.1:8787", "http://localhost"):
        await muster.controller(url, TOKEN).close()


async def test_py42_cells_that_do_not_answer_are_warned_of() -> None:
    page: dict[str, Any] = {"entries": [], "next_cursor": None}
    answers = [json_answer({**page, "missing_cells": [1, 3]}), json_answer(page)]
    async with serving(*answers) as server, muster.controller(server.url, TOKEN) as mesh:
        with pytest.warns(muster.MissingCellsWarning, match="cells 1, 3 of"):
            assert await mesh.denylist.list().to_list() == []
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert await mesh.denylist.list().to_list() == []


async def test_py44_a_submission_that_is_not_answered_names_its_key() -> None:
    async with serving(answer(b"", 502)) as server, muster.controller(server.url, TOKEN) as mesh:
        with pytest.raises(muster.MusterApiError) as raised:
            await mesh.tasks.submit("k", 1)
    keys = {request.headers["idempotency-key"] for request in server.requests}
    assert keys == {raised.value.idempotency_key}
    assert len(server.requests) == 5
    assert f'idempotency_key="{raised.value.idempotency_key}"' in str(raised.value)


async def test_py44_a_call_that_waits_rides_out_an_outage() -> None:
    answers = [json_answer(task("running")), *[answer(b"", 502)] * 3, TASK]
    async with serving(*answers) as server, muster.controller(server.url, TOKEN) as mesh:
        waited = asyncio.create_task(mesh.tasks.wait(ID))
        found = await waited
    assert found.state == "succeeded"
    polls = ["wait=" in request.target for request in server.requests]
    # Once the mesh is out of reach it is asked to answer at once.
    assert polls == [True, True, *[False] * 3]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.00001, "0.00001"), (2.5e-7, "0.00000025"), (1.5, "1.5"), (3, "3.0")]
)
async def test_ht102_a_wait_is_written_in_decimal_digits(seconds: float, text: str) -> None:
    async with serving(TASK) as server, muster.controller(server.url, TOKEN) as mesh:
        await mesh.tasks.submit("k", wait=seconds)
    assert [request.target.partition("?")[2] for request in server.requests] == [f"wait={text}"]


async def test_py44_an_outage_ends_the_call_after_its_time() -> None:
    async with serving(answer(b"", 502)) as server, muster.controller(server.url, TOKEN) as mesh:
        for outage in (0.5, 0):
            with pytest.raises(muster.MusterApiError) as raised:
                await mesh.tasks.wait(ID, outage=outage)
            assert (raised.value.code, raised.value.task_id) == ("invalid_response", ID)
        with pytest.raises(muster.MusterApiError) as submitted:
            await mesh.run("k", outage=0.1)
        assert submitted.value.idempotency_key is not None


async def test_py44_a_wait_ends_after_its_timeout_and_with_its_task() -> None:
    running = json_answer(task("running"))
    async with serving(running) as server, muster.controller(server.url, TOKEN) as mesh:
        with pytest.raises(muster.WaitTimeout) as raised:
            await mesh.tasks.wait(ID, timeout=0)
        assert raised.value.task.state == "running"
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(mesh.tasks.wait(ID), 0.3)
        with pytest.raises(muster.WaitTimeout):
            await mesh.run("k", timeout=0.2)


async def test_py44_run_raises_how_the_task_ended() -> None:
    for state in ("failed", "cancelled", "expired"):
        failed = json_answer(task(state, error="disk full"))
        async with serving(failed) as server, muster.controller(server.url, TOKEN) as mesh:
            with pytest.raises(muster.TaskFailed, match="disk full") as raised:
                await mesh.run("k")
            assert (raised.value.code, raised.value.task_id) == (state, ID)


async def test_py45_a_page_is_asked_for_when_it_is_reached() -> None:
    summary = {
        name: value
        for name, value in task().items()
        if name not in ("payload", "result", "attempts")
    }
    pages = [
        json_answer({"tasks": [summary], "next_cursor": "a b"}),
        json_answer({"tasks": [], "next_cursor": "c"}),
        json_answer({"tasks": [summary, summary], "next_cursor": None}),
    ]
    async with serving(*pages) as server, muster.controller(server.url, TOKEN) as mesh:
        listed = mesh.tasks.list(state="failed", page_size=2)
        async for _ in listed:
            break
        assert [request.target for request in server.requests] == ["/v1/tasks?state=failed&limit=2"]
        server.answers = pages
        assert len(await listed.to_list()) == 3
    assert "cursor=a+b" in server.requests[2].target or "cursor=a%20b" in server.requests[2].target


async def test_py45_bulk_acts_take_as_many_requests_as_they_need() -> None:
    def done(count: int, cursor: str | None) -> bytes:
        skipped = [{"id": ID, "code": "task_ended"}]
        ids = [ID] * min(count, 20)
        body = {"count": count, "task_ids": ids, "skipped": skipped, "next_cursor": cursor}
        return json_answer(body)

    seen: list[muster.BulkOutcome] = []
    pieces = [done(15, "c1"), done(10, None), done(1, None)]
    async with serving(*pieces) as server, muster.controller(server.url, TOKEN) as mesh:
        ids = [f"id{number}" for number in range(1_001)]
        outcome = await mesh.tasks.retry_many(ids, max_attempts=2, on_progress=seen.append)
    bodies = [json.loads(request.body) for request in server.requests]
    assert [len(body["ids"]) for body in bodies] == [1_000, 1_000, 1]
    assert [body.get("cursor") for body in bodies] == [None, "c1", None]
    assert all(body["max_attempts"] == 2 for body in bodies)
    assert (outcome.count, len(outcome.task_ids), len(outcome.skipped)) == (26, 20, 3)
    assert [each.count for each in seen] == [15, 25, 26]


async def test_py45_the_id_of_a_caller_can_not_change_the_path() -> None:
    async with serving(answer(b"", 204)) as server, muster.controller(server.url, TOKEN) as mesh:
        await mesh.dials.remove("a/../b?c#d")
        for wrong in ("", ".", ".."):
            with pytest.raises(muster.OptionsError):
                await mesh.dials.remove(wrong)
    assert [request.target for request in server.requests] == ["/v1/dials/a%2F..%2Fb%3Fc%23d"]


async def test_py43_a_removal_that_is_not_answered_as_one_has_removed_nothing() -> None:
    async with serving(answer(b"ok")) as server, muster.controller(server.url, TOKEN) as mesh:
        with pytest.raises(muster.MusterApiError) as raised:
            await mesh.tokens.revoke("0123456789abcdef")
        assert raised.value.code == "invalid_response"
        assert len(server.requests) == 1


async def test_py45_a_result_whose_digest_does_not_match_is_refused() -> None:
    digest = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    for wrong in (
        answer(b'"x"', content_type="application/json", content_digest=digest),
        answer(b'"x"', content_type="application/json"),
    ):
        async with serving(wrong) as server, muster.controller(server.url, TOKEN) as mesh:
            with pytest.raises(muster.MusterApiError, match="digest") as raised:
                await mesh.tasks.result(ID)
            assert (raised.value.code, raised.value.task_id) == ("invalid_response", ID)
            assert len(server.requests) == 1


async def test_py43_a_slow_server_does_not_hold_a_call_for_ever() -> None:
    async def silent(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with serving(Write(silent)) as server, Api(server.url) as api:
        with pytest.raises(muster.MusterApiError, match="no answer in time"):
            await api.send(ApiRequest(path="x", timeout=0.1, idempotent=False))
