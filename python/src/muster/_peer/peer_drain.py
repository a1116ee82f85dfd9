"""The drain of a peer: it takes nothing new, finishes what runs until a time limit, then it disconnects."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from muster._peer.events import Draining

if TYPE_CHECKING:
    from collections.abc import Mapping

DRAIN_TIMEOUT_DEFAULT = 60.0
"""How long running tasks may take after `drain()`, unless the program says otherwise."""


class DrainPorts(Protocol):
    """What a drain does."""

    def announce_drain(self, drain: Mapping[str, Any]) -> None:
        """Tell the mesh, if there is a session."""

    async def settle(self) -> None:
        """Hand back what is not started; returns when the rest has ended and its results were received."""

    async def close(self, reason: str) -> None:
        """Close the peer."""

    def emit(self, event: Draining) -> None:
        """Report the drain."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Who drains the peer, and why."""

    by: Literal["peer", "mesh"]
    reason: str
    timeout: float


class PeerDrain:
    """While a drain is under way, a further one can only make its limit earlier."""

    def __init__(self, ports: DrainPorts) -> None:
        self._ports = ports
        self._drain: Drain | None = None
        self._until = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = asyncio.Event()
        self._finished: asyncio.Task[None] | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether the peer drains."""
        return self._drain is not None

    def begin(self, drain: Drain) -> asyncio.Task[None]:
        """Begin the drain. The task ends once the socket is closed."""
        self._limit(drain.timeout)
        if self._finished is None:
            self._drain = drain
            self._ports.emit(Draining(drain.by, drain.reason, drain.timeout))
            self._announce()
            self._finished = asyncio.create_task(self._finish(drain.reason))
        return self._finished

    def welcomed(self) -> None:
        """Say it again: the mesh forgets a peer's own drain with its session."""
        self._announce()

    def stop(self) -> None:
        """The peer has closed."""
        if self._timer is not None:
            self._timer.cancel()
        self._is_over.set()

    def _announce(self) -> None:
        if self._drain is not None and self._drain.by == "peer":
            left = max(0.0, self._until - time.monotonic())
            message = {"reason": self._drain.reason, "timeout_seconds": left}
            self._ports.announce_drain(message)

    def _limit(self, timeout: float) -> None:
        until = time.monotonic() + timeout
        if until >= self._until:
            return
        self._until = until
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(timeout, self._is_over.set)

    async def _finish(self, reason: str) -> None:
        waits = [
            asyncio.create_task(self._ports.settle()),
            asyncio.create_task(self._is_over.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        await self._ports.close(reason)
