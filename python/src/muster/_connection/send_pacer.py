"""Sends messages no faster than the mesh accepts them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from muster._base.token_bucket import TokenRate, full_bucket
from muster._connection.answer_credit import AnswerCredit
from muster._connection.answer_queue import AnswerQueue
from muster._connection.answer_window import AnswerWindow
from muster._connection.outgoing import Outgoing, is_answer
from muster._protocol.constants import MESSAGES_BURST, MESSAGES_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

_ALLOWANCE = TokenRate(0.9 * MESSAGES_PER_SECOND, 1.0, 0.9 * MESSAGES_BURST)
"""10 % below the mesh's rate limit, because the two clocks do not run at exactly the same speed."""
_QUEUE_MAX = 2_048
"""Messages of either sort that may wait. A program that exceeds this sends faster than the limit for long."""


class SendPacer:
    """Answers to offers are bounded by the window of answers, and those to offers of this session by no rate.

    Everything else is sent in order at the rate of the allowance. The window's pings spend allowance too, and go before the others.
    `emit` encrypts and sends a message, and returns the size of its frame.
    """

    def __init__(
        self, emit: Callable[[Outgoing], int], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._emit_frame = emit
        self._now = now
        self._window = AnswerWindow()
        self._credit = AnswerCredit()
        self._answers = AnswerQueue()
        self._charged = AnswerQueue()
        self._paced: deque[Outgoing] = deque()
        self._allowance = full_bucket(_ALLOWANCE, now())
        self._timer: asyncio.TimerHandle | None = None
        self._is_flushing = False
        self._is_stopped = False

    def send(self, message: Outgoing) -> bool:
        """Send the message, now or when it may be sent; False if too many wait."""
        if self._is_stopped or not self._enqueue(message):
            return False
        self._flush()
        return True

    def offer_received(self, offer: Any) -> None:
        """Note that the mesh offered an attempt: the answers to it spend no allowance."""
        self._credit.offered(offer)

    def pong_received(self, ping_id: str) -> bool:
        """Note that the mesh answered a ping. False if the ping was not sent here."""
        is_own = self._window.pong_received(ping_id)
        if is_own:
            self._flush()
        return is_own

    def stop(self) -> None:
        """Drop what waits; `on_sent` of these messages is never called."""
        self._is_stopped = True
        if self._timer is not None:
            self._timer.cancel()
        self._answers.clear()
        self._charged.clear()
        self._paced.clear()

    def _enqueue(self, message: Outgoing) -> bool:
        if not is_answer(message):
            if len(self._paced) >= _QUEUE_MAX:
                return False
            self._paced.append(message)
            return True
        queue = self._answers if self._credit.spend(message) else self._charged
        if len(queue) >= _QUEUE_MAX:
            return False
        queue.push(message)
        return True

    def _flush(self) -> None:
        """Send what may be sent. `on_sent` may send further messages: these join the queue, which is emptied by the same loop."""
        if self._is_flushing:
            return
        self._is_flushing = True
        try:
            while self._send_next():
                pass
        finally:
            self._is_flushing = False
        self._set_timer()

    def _send_next(self) -> bool:
        """Send the message whose turn it is; False if none may be sent now."""
        if self._is_stopped:
            return False
        if self._window.is_ping_due and self._allowance.take(self._now()):
            ping = Outgoing("ping", {"sentAt": int(time.time() * 1_000)})
            self._window.ping_sent(ping.id)
            self._emit(ping)
            return True
        answer = self._answers.shift() if self._window.is_open else None
        if answer is not None:
            self._emit(answer)
            return True
        # A ping that is due has not got a token, so there is none for other messages.
        if (
            self._window.is_ping_due
            or not self._has_charged
            or not self._allowance.take(self._now())
        ):
            return False
        message = self._charged.shift() if self._window.is_open else None
        if message is None and self._paced:
            message = self._paced.popleft()
        if message is not None:
            self._emit(message)
        return True

    @property
    def _has_charged(self) -> bool:
        """Whether a message needs nothing but allowance."""
        return len(self._paced) > 0 or (self._window.is_open and len(self._charged) > 0)

    def _emit(self, message: Outgoing) -> None:
        frame_bytes = self._emit_frame(message)
        if is_answer(message):
            self._window.answer_sent(frame_bytes)
        if message.on_sent is not None:
            message.on_sent()

    def _set_timer(self) -> None:
        is_idle = not self._window.is_ping_due and not self._has_charged
        if self._timer is not None or is_idle or self._is_stopped:
            return
        delay = _ALLOWANCE.per / _ALLOWANCE.tokens
        self._timer = asyncio.get_running_loop().call_later(delay, self._timer_fired)

    def _timer_fired(self) -> None:
        self._timer = None
        self._flush()
