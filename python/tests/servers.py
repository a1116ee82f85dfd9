"""A server on a real socket that answers as a test says."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


@dataclass(frozen=True, slots=True)
class Request:
    """A request that came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Server:
    """What came, and what is answered: each entry of `answers` once, the last one again and again."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def next_answer(self) -> Any:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextlib.asynccontextmanager
async def serving(*answers: Any) -> AsyncIterator[Server]:
    """Serve the answers: whole responses, functions that write one, or functions of the request that return one."""
    server = Server(answers=list(answers))

    connections = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.current_task())
        try:
            while await _one(server, reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for connection in connections:
            if connection is not None:
                connection.cancel()
        await asyncio.gather(*(each for each in connections if each is not None))


async def _one(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    server.requests.append(Request(method, target, headers, body))
    answer = server.next_answer()
    if callable(answer):
        answer = answer(server.requests[-1])
    if isinstance(answer, Write):
        await answer.write(writer)
        return False
    writer.write(answer)
    await writer.drain()
    return b"\r\nconnection: close\r\n" not in answer


@dataclass(frozen=True, slots=True)
class Write:
    """An answer that is written bit by bit; then the connection ends."""

    write: Callable[[asyncio.StreamWriter], Awaitable[None]]


def json_answer(value: Any, status: int = 200, **headers: str) -> bytes:
    """A response with JSON. Underscores in names of headers stand for hyphens."""
    return answer(json.dumps(value).encode(), status, content_type="application/json", **headers)


def problem(code: str, status: int, detail: str = "no", **headers: str) -> bytes:
    """A problem document."""
    body = {"type": "/", "title": "t", "status": status, "code": code, "detail": detail}
    return json_answer(body, status, **headers)


def answer(body: bytes, status: int = 200, **headers: str) -> bytes:
    """A response."""
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join((*lines, "", "")).encode() + body


def task(state: str = "succeeded", **members: Any) -> dict[str, Any]:
    """A task as the API shows it."""
    return {
        "id": "5f0c8b1e-8d5c-4c5e-9b7e-0d4f3c2b1a00",
        "kind": "k",
        "payload": None,
        "state": state,
        "source": "api",
        "requirements": {},
        "priority": 0,
        "created_at": "2026-11-29T00:00:00.000Z",
        "not_before": "2026-11-29T00:00:00.000Z",
        "deadline_at": "2026-11-29T01:00:00.000Z",
        "ended_at": None,
        "max_attempts": 5,
        "backoff": {},
        "lease_seconds": 60,
        "peer_id": None,
        "progress": None,
        "message": None,
        "result": None,
        "error": None,
        "attempts": [],
        **members,
    }
