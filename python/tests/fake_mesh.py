"""A mesh that a test scripts: it speaks muster.2 with the primitives that the vectors check."""

from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from muster._crypto.identity import KeyPair, generate_identity, peer_id_of
from muster._crypto.key_proofs import make_connect_proof
from muster._crypto.noise import NoiseHandshake
from muster._crypto.transport import Opener, Sealer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


def task_offer(kind: str, payload: Any = None, **more: Any) -> dict[str, Any]:
    """An offer of a new task."""
    return {
        "task_id": str(uuid.uuid4()),
        "fence": 1,
        "kind": kind,
        "payload": payload,
        "attempt": 1,
        "lease_seconds": 60,
        **more,
    }


@dataclass
class Session:
    """One session, from the mesh's side."""

    socket: ServerConnection
    keys: KeyPair
    peer_key: bytes
    hello: dict[str, Any]
    sealer: Sealer
    opener: Opener
    frames: list[dict[str, Any]] = field(default_factory=list)
    """Every message that came, with its envelope."""
    texts: list[str] = field(default_factory=list)
    confirms: bool = True
    """Whether pings that ask for confirmation are answered at once."""
    close_code: int | None = None

    @property
    def peer_id(self) -> str:
        return peer_id_of(self.peer_key)

    async def send(
        self, message_type: str, payload: Any, reply_to: str | None = None, **envelope: Any
    ) -> str:
        message = {
            "id": str(uuid.uuid4()),
            "type": message_type,
            "from": self.keys.id,
            "to": self.peer_id,
            "ts": datetime.now(timezone.utc).isoformat().replace("+00:00", "Z"),
            "payload": payload,
            **({} if reply_to is None else {"replyTo": reply_to}),
            **envelope,
        }
        await self.send_text(json.dumps(message))
        return str(message["id"])

    async def send_text(self, text: str) -> None:
        await self.socket.send(self.sealer.seal(text.encode()))

    async def welcome(self, **more: Any) -> None:
        mesh = {"id": self.keys.id, "name": "fake", "public_key": self.keys.public_key.hex()}
        mesh |= more.pop("mesh", {})
        welcome = {"peer_id": self.peer_id, "epoch": 1, "role": "worker", "mesh": mesh, **more}
        await self.send("welcome", welcome)

    async def offer(self, kind: str, payload: Any = None, **more: Any) -> dict[str, Any]:
        offer = task_offer(kind, payload, **more)
        await self.send("task_offer", offer)
        return offer

    def of_type(self, message_type: str) -> list[dict[str, Any]]:
        """The payloads of the messages of a type that came until now."""
        return [each["payload"] for each in self.frames if each["type"] == message_type]

    async def message(self, message_type: str, **having: Any) -> dict[str, Any]:
        """The first message of a type whose payload has these members; waits for it."""
        while True:
            for each in self.frames:
                payload = each["payload"]
                if each["type"] == message_type and all(
                    payload.get(name) == value for name, value in having.items()
                ):
                    return each
            await asyncio.sleep(0.005)

    async def result(self, offer: dict[str, Any]) -> dict[str, Any]:
        """The result of an offered task; waits for it."""
        message = await self.message("task_result", task_id=offer["task_id"])
        payload: dict[str, Any] = message["payload"]
        return payload

    async def close(self, code: int, reason: str = "") -> None:
        await self.socket.close(code, reason)

    async def closed(self) -> None:
        await self.socket.wait_closed()

    async def receive(self) -> None:
        try:
            async for frame in self.socket:
                if isinstance(frame, str):
                    self.texts.append(frame)
                    await self.socket.send("pong")
                    continue
                plain = self.opener.open(frame)
                assert plain is not None
                message = json.loads(plain)
                self.frames.append(message)
                if message["type"] == "ping":
                    await self._answer_ping(message)
        except ConnectionClosed:
            pass
        self.close_code = self.socket.close_code

    async def _answer_ping(self, message: dict[str, Any]) -> None:
        sent_at = message["payload"]["sentAt"]
        if self.confirms or not message["payload"].get("confirm"):
            await self.send("pong", {"sentAt": sent_at, "receivedAt": sent_at}, message["id"])


@dataclass
class FakeMesh:
    """Takes peers. Sessions come in `sessions` in their order."""

    keys: KeyPair = field(default_factory=generate_identity)
    url: str = ""
    sessions: list[Session] = field(default_factory=list)
    queries: list[dict[str, list[str]]] = field(default_factory=list)
    """The query of each dial."""
    welcomes: bool = True
    refuses: Callable[[dict[str, list[str]]], tuple[int, dict[str, Any]] | None] | None = None
    """The status and the problem document with which an upgrade is refused."""
    claimed_key: str | None = None
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Further answers, by path."""
    message2: Callable[[bytes], bytes] | None = None
    """Changes the second handshake message."""

    async def session(self, number: int = 0) -> Session:
        """A session; waits for it."""
        while len(self.sessions) <= number:
            await asyncio.sleep(0.005)
        return self.sessions[number]

    def request(self, connection: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        if parts.path in self.answers:
            status, body = self.answers[parts.path]
            return _answer(connection, status, body)
        if parts.path == "/v1/mesh":
            mesh = {"public_key": self.claimed_key or self.keys.public_key.hex()}
            return _answer(connection, 200, json.dumps(mesh).encode())
        query = parse_qs(parts.query)
        self.queries.append(query)
        refused = None if self.refuses is None else self.refuses(query)
        if refused is not None:
            return _answer(connection, refused[0], json.dumps(refused[1]).encode())
        return None

    async def serve(self, socket: ServerConnection) -> None:
        query = self.queries[-1]
        noise = NoiseHandshake(self.keys, b"muster/2", initiator=False)
        try:
            noise.read(_bytes(await socket.recv()))
            message = noise.write()
            await socket.send(message if self.message2 is None else self.message2(message))
            hello = json.loads(noise.read(_bytes(await socket.recv())))
        except ConnectionClosed:
            return
        peer_key = noise.remote_static or b""
        assert query["peer"] == [peer_id_of(peer_key)]
        host = urlsplit(self.url).netloc
        proof = make_connect_proof(self.keys.private_key, peer_key, host, int(query["t"][0]))
        assert query["proof"] == [proof]
        transport = noise.split()
        session = Session(
            socket, self.keys, peer_key, hello, Sealer(transport.send), Opener(transport.receive)
        )
        self.sessions.append(session)
        if self.welcomes:
            await session.welcome()
        await session.receive()


@asynccontextmanager
async def fake_mesh(port: int = 0, **options: Any) -> AsyncIterator[FakeMesh]:
    """Start a fake mesh on a port of this machine."""
    mesh = FakeMesh(**options)
    async with serve(
        mesh.serve,
        "127.0.0.1",
        port,
        subprotocols=[Subprotocol("muster.2")],
        process_request=mesh.request,
        max_size=None,
        compression=None,
        ping_interval=None,
        close_timeout=0.5,
    ) as server:
        mesh.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield mesh


def _answer(connection: ServerConnection, status: int, body: bytes) -> Response:
    response = connection.respond(HTTPStatus(status), "")
    del response.headers["content-length"]
    del response.headers["content-type"]
    response.headers["content-length"] = str(len(body))
    response.headers["content-type"] = "application/json"
    if 300 <= status < 400:
        response.headers["location"] = body.decode()
    return Response(response.status_code, response.reason_phrase, response.headers, body)


def _bytes(frame: str | bytes) -> bytes:
    assert isinstance(frame, bytes)
    return frame
