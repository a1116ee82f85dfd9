"""A WebSocket whose frames are sent in the order in which they were given, without waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from muster._base.time_limit import TimeLimit
from muster._protocol.constants import FRAME_BYTES_MAX, MUSTER_2_SUBPROTOCOL
from muster._version import __version__

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

CLOSE_GRACE = 1.0
"""How long a close waits for the other side's part of the closing handshake."""
_WRITE_BUFFER_BYTES = 1_048_576


class _Connect(connect):
    """Follows no redirect: the proof in the URL is for one host."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class WebSocket:
    """Sends in the background; what can't be sent any more is dropped."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._frames: deque[bytes | str] = deque()
        self._has_frames = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._writer = asyncio.create_task(self._write())
        self._closed: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str) -> WebSocket:
        """Open a socket. Raises what `websockets` raises."""
        connection = await _Connect(
            url,
            subprotocols=[Subprotocol(MUSTER_2_SUBPROTOCOL)],
            compression=None,  # frames are encrypted
            open_timeout=None,
            ping_interval=None,
            close_timeout=CLOSE_GRACE,
            max_size=FRAME_BYTES_MAX,
            write_limit=_WRITE_BUFFER_BYTES,
            user_agent_header=f"muster-python/{__version__}",
        )
        return cls(connection)

    @property
    def subprotocol(self) -> str | None:
        """The protocol that the server has chosen."""
        return self._connection.subprotocol

    def send(self, frame: bytes | str) -> None:
        """Send a frame after those that were given before."""
        self._frames.append(frame)
        self._is_idle.clear()
        self._has_frames.set()

    async def receive(self) -> bytes | str:
        """Return the next frame. Raises `ConnectionClosed`."""
        return await self._connection.recv()

    async def close(self, code: int, reason: str) -> None:
        """Send what was given, then close. Ends after `CLOSE_GRACE`: an unreachable mesh does not answer."""
        if self._closed is None:
            self._closed = asyncio.create_task(self._close(code, reason))
        await asyncio.shield(self._closed)

    async def _close(self, code: int, reason: str) -> None:
        with suppress(asyncio.TimeoutError, ConnectionClosed):
            async with TimeLimit(CLOSE_GRACE):
                await self._is_idle.wait()
        self._writer.cancel()
        with suppress(asyncio.TimeoutError, ConnectionClosed):
            async with TimeLimit(CLOSE_GRACE):
                await self._connection.close(code, _short(reason))
        self._connection.transport.abort()

    async def _write(self) -> None:
        try:
            while True:
                while self._frames:
                    await self._connection.send(self._frames.popleft())
                self._is_idle.set()
                self._has_frames.clear()
                await self._has_frames.wait()
        except ConnectionClosed:
            self._is_idle.set()  # nothing can be sent any more


def _short(reason: str) -> str:
    """A close reason has at most 123 bytes."""
    return reason.encode()[:123].decode("utf-8", "ignore")
