"""Answers the requests to this peer that the mesh forwards."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from muster._base.cut_text import cut_text
from muster._json import JsonText
from muster._protocol.constants import TASK_ERROR_CHARS_MAX, TASK_RESULT_BYTES_MAX
from muster._protocol.inbound import REQUEST_REPLIES
from muster._protocol.inbound_types import PeerRequest, TaskOffer
from muster._work.outcome import Returned, Settled

if TYPE_CHECKING:
    from muster._connection.connection import Connection
    from muster._handlers.execution import Call, Execution

CONCURRENT_REQUESTS_MAX = 16
"""Requests that are answered at once; further ones are refused."""
_KIND = "go-p2p/"
_NOT_FOUND = 1003
_OPERATION_FAILED = 1004


class RequestPorts(Protocol):
    """What answers need."""

    def has_own(self, kind: str) -> bool:
        """Whether there is a handler for exactly this kind."""

    def start(self, offer: TaskOffer, call: Call) -> Execution:
        """Call a handler."""

    def identity(self) -> tuple[str, str]:
        """Return the peer's ID and its name."""


class PeerRequests:
    """A request is answered by the handler of the kind `go-p2p/` and its type; the same handler also runs tasks of that kind.

    Without a handler, `get_stats` returns what a go-p2p worker returns, and other types are refused.
    """

    def __init__(self, ports: RequestPorts) -> None:
        self._ports = ports
        self._started_at = time.monotonic()
        self._running: dict[int, Execution] = {}

    def answer(self, request: PeerRequest, message_id: str, to: Connection) -> None:
        """Answer a request."""
        kind = _KIND + request.type
        if not self._ports.has_own(kind):
            if request.type == "get_stats":
                to.send(REQUEST_REPLIES[request.type], self._stats(), message_id)
            else:
                text = f"this peer has no handler for {request.type}"
                _refuse(to, message_id, _NOT_FOUND, text)
            return
        if len(self._running) >= CONCURRENT_REQUESTS_MAX:
            _refuse(to, message_id, _OPERATION_FAILED, "too many requests at once")
            return
        # A request is no attempt of a task: its fence is 0.
        offer = TaskOffer(
            message_id, 0, kind, request.payload, 1, 0.0, None, None, None, None, None
        )
        call = _RequestCall(self, to, message_id, REQUEST_REPLIES[request.type])
        self._running[id(call)] = self._ports.start(offer, call)

    def stop(self, reason: str) -> None:
        """Ask the running handlers to stop."""
        for execution in self._running.values():
            execution.cancel(reason)

    def ended(self, call: object) -> None:
        """A handler has settled."""
        self._running.pop(id(call), None)

    def _stats(self) -> dict[str, Any]:
        peer_id, name = self._ports.identity()
        uptime = int(time.monotonic() - self._started_at)
        return {"nodeId": peer_id, "nodeName": name, "miners": [], "uptime": uptime}


@dataclass(slots=True)
class _RequestCall:
    requests: PeerRequests
    to: Connection
    message_id: str
    reply: str

    def progress(self, fraction: float | None, message: str | None) -> None:
        """Requests report none."""

    def settled(self, settled: Settled) -> None:
        """Send the reply."""
        self.requests.ended(self)
        if isinstance(settled, Returned):
            if len(settled.json.encode()) > TASK_RESULT_BYTES_MAX:
                text = "the result is larger than a reply may be"
                _refuse(self.to, self.message_id, _OPERATION_FAILED, text)
            else:
                self.to.send(self.reply, JsonText(settled.json), self.message_id)
        else:
            text = getattr(settled, "error", None) or "the request was not answered"
            _refuse(self.to, self.message_id, _OPERATION_FAILED, text)


def _refuse(to: Connection, message_id: str, code: int, message: str) -> None:
    to.send("error", {"code": code, "message": cut_text(message, TASK_ERROR_CHARS_MAX)}, message_id)
