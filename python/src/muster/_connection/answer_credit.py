"""Which answers the mesh takes without spending allowance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muster._protocol.constants import ANSWERS_PER_ATTEMPT, SLOTS_MAX

if TYPE_CHECKING:
    from muster._connection.outgoing import Outgoing

_ATTEMPTS_MAX = 4 * SLOTS_MAX
"""More offers than any peer can have open. Above it the oldest is forgotten, and its answers spend allowance."""
_ENDINGS = frozenset({"task_result", "task_refuse", "task_release"})
"""After these the mesh does not expect anything more about the attempt."""


class AnswerCredit:
    """Three answers for each attempt that was offered in this session, and the attempt's progress until it has ended.

    Repeats, and what concerns attempts of an earlier session, spend allowance.
    """

    def __init__(self) -> None:
        self._left: dict[tuple[Any, Any], int] = {}

    def offered(self, offer: Any) -> None:
        """Note an attempt that the mesh offered."""
        self._left[_attempt_of(offer)] = ANSWERS_PER_ATTEMPT
        if len(self._left) > _ATTEMPTS_MAX:
            del self._left[next(iter(self._left))]

    def spend(self, message: Outgoing) -> bool:
        """Whether the message spends no allowance. Counts it."""
        attempt = _attempt_of(message.payload)
        left = self._left.get(attempt)
        if left is None:
            return False
        if message.type == "task_progress":
            return True
        if left <= 1 or message.type in _ENDINGS:
            del self._left[attempt]
        else:
            self._left[attempt] = left - 1
        return True


def _attempt_of(payload: Any) -> tuple[str, str]:
    if not isinstance(payload, dict):
        return "", ""
    return str(payload.get("task_id")), str(payload.get("fence"))
