"""A message that waits to be sent."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from muster._protocol.envelope import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from muster._json import JsonText


@dataclass(slots=True)
class Outgoing:
    """It becomes a frame only when it is sent, because encryption numbers the frames of a session in the order of sending."""

    type: str
    payload: Mapping[str, Any] | JsonText
    reply_to: str | None = None
    on_sent: Callable[[], None] | None = None
    """Called when the message has been given to the socket."""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def text(self, sender: str, receiver: str, ts: str) -> str:
        """Return its envelope. `ts` is the time of sending, so that timestamps rise in the order of the frames."""
        reply = "" if self.reply_to is None else f',"replyTo":"{self.reply_to}"'
        return (
            f'{{"id":"{self.id}","type":"{self.type}","from":"{sender}","to":"{receiver}","ts":"{ts}",'
            f'"payload":{write_json(self.payload)}{reply}}}'
        )


_ANSWERS = frozenset({"task_accept", "task_refuse", "task_release", "task_progress", "task_result"})


def is_answer(message: Outgoing) -> bool:
    """Whether a message answers an offer of the mesh: those to offers of this session spend no message allowance."""
    return message.type in _ANSWERS
