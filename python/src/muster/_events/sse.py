"""Server-sent events (the HTML standard, section 9.2.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MESSAGE_CHARS_MAX = 65_536
"""Characters of a message: far above those of an event. A server that sends more is given up."""
_LINE_END = re.compile(r"\r\n|\n|\r(?!\Z)")


class MessageTooLongError(Exception):
    """A message of the stream is too long."""


@dataclass(frozen=True, slots=True)
class SseMessage:
    """One message of a stream."""

    id: str | None
    """The position that the message sets; None if it sets none."""
    event: str
    data: str | None
    """None for a message that only sets a position."""


class SseParser:
    """Takes the text of a stream as it comes, and makes messages of it."""

    def __init__(self) -> None:
        self._rest = ""
        """The beginning of a line whose end has not come."""
        self._id: str | None = None
        self._event = ""
        self._data: list[str] = []
        self._chars = 0

    def push(self, text: str) -> list[SseMessage]:
        """The messages that this text completes. Raises `MessageTooLongError`."""
        *lines, self._rest = _LINE_END.split(self._rest + text)
        messages = [message for line in lines if (message := self._line(line)) is not None]
        if self._chars + len(self._rest) > _MESSAGE_CHARS_MAX:
            raise MessageTooLongError(
                f"a message of the stream has more than {_MESSAGE_CHARS_MAX} characters"
            )
        return messages

    def _line(self, line: str) -> SseMessage | None:
        if line == "":
            return self._dispatch()
        self._chars += len(line)
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id" and "\0" not in value:
            self._id = value
        elif name == "event":
            self._event = value
        elif name == "data":
            self._data.append(value)
        return None

    def _dispatch(self) -> SseMessage | None:
        data = "\n".join(self._data) if self._data else None
        message = SseMessage(self._id, self._event, data)
        self._id = None
        self._event = ""
        self._data = []
        self._chars = 0
        return None if message.id is None and message.data is None else message
