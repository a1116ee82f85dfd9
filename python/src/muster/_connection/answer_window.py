"""What a session has sent in answer to offers and the mesh has not yet processed."""

from __future__ import annotations

from typing import NamedTuple

from muster._protocol.constants import (
    FRAME_QUEUE_BYTES_MAX,
    FRAME_QUEUE_MAX,
    TASK_RESULT_BYTES_MAX,
)

ANSWER_WINDOW_FRAMES = FRAME_QUEUE_MAX // 2
"""Answers that may be sent before the mesh has confirmed them: half of what it lets wait of one session."""
ANSWER_WINDOW_BYTES = FRAME_QUEUE_BYTES_MAX // 2
PING_AFTER_FRAMES = ANSWER_WINDOW_FRAMES // 8
"""A ping follows after this many answers, or bytes of them: several are under way in a full window."""
_PING_AFTER_BYTES = ANSWER_WINDOW_BYTES // 8
_ANSWER_FRAME_BYTES_MAX = 2 * TASK_RESULT_BYTES_MAX
"""Reserved for one answer: the size of a frame is known only after its encryption, and then it must be sent."""


class _Total(NamedTuple):
    frames: int
    bytes: int


class AnswerWindow:
    """The mesh processes frames in order, so a pong confirms every answer that was sent before its ping.

    A session that sends few answers never has a ping due.
    """

    def __init__(self) -> None:
        self._sent = self._pinged = self._confirmed = _Total(0, 0)
        self._pings: dict[str, _Total] = {}

    @property
    def is_open(self) -> bool:
        """Whether an answer may be sent. While it may not, a ping is due or under way whose pong opens the window."""
        frames = self._sent.frames - self._confirmed.frames
        size = self._sent.bytes - self._confirmed.bytes
        is_room = size <= ANSWER_WINDOW_BYTES - _ANSWER_FRAME_BYTES_MAX
        return frames < ANSWER_WINDOW_FRAMES and is_room

    @property
    def is_ping_due(self) -> bool:
        """Whether a ping should follow what was sent."""
        frames = self._sent.frames - self._pinged.frames
        return frames >= PING_AFTER_FRAMES or (
            self._sent.bytes - self._pinged.bytes >= _PING_AFTER_BYTES
        )

    def answer_sent(self, frame_bytes: int) -> None:
        """Note an answer of this size."""
        self._sent = _Total(self._sent.frames + 1, self._sent.bytes + frame_bytes)

    def ping_sent(self, ping_id: str) -> None:
        """Note a ping."""
        self._pinged = self._sent
        self._pings[ping_id] = self._sent

    def pong_received(self, ping_id: str) -> bool:
        """Note the answer to a ping. False if the ping is none of the window's."""
        total = self._pings.pop(ping_id, None)
        if total is None:
            return False
        if total.frames > self._confirmed.frames:
            self._confirmed = total
        return True
