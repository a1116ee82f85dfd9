"""What runs the handlers of a task runner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from muster._crypto.result_tickets import ResultContent
    from muster._handlers.execution import Call, Execution
    from muster._peer.events import (
        PeerEvent,
    )
    from muster._protocol.inbound_types import TaskOffer
    from muster._work.upload import Lost, Upload, UploadFailed


class Executor(Protocol):
    """Runs handlers."""

    def has(self, kind: str) -> bool:
        """Whether there is a handler for a kind, or for every kind (`*`)."""

    def start(self, offer: TaskOffer, call: Call) -> Execution:
        """Call the handler of an offered attempt. What it reports comes in the session's loop, never before this returns."""

    def upload(self, upload: Upload) -> Awaitable[ResultContent | Lost | UploadFailed | None]:
        """Upload a large result."""

    def emit(self, event: PeerEvent) -> None:
        """Report an event."""
