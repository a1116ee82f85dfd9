"""The envelope of every message."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muster._json import JsonText, read_json
from muster._protocol.constants import JSON_DEPTH_MAX
from muster._protocol.reading import BadMessage, Fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_EXACT = (
    ("payload", "payload"),
    ("payload", "result"),
    ("payload", "task", "payload"),
    ("payload", "task", "result"),
)
"""The payloads and results of tasks keep their text: parsing rounds long numbers."""
_FREE_TYPES = frozenset({"get_stats", "start_miner", "stop_miner", "deploy", "get_logs"})
"""Requests whose payload is any JSON."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message of the mesh."""

    id: str
    type: str
    ts: str
    payload: Any
    reply_to: str | None


def read_envelope(text: str) -> Envelope:
    """Parse one message. Raises `ValueError` when it is not JSON or not an envelope."""
    message = read_json(text, JSON_DEPTH_MAX + 1, *_EXACT)
    fields = Fields(message, "the message")
    kind = fields.text("type", 64)
    if kind == "":
        raise BadMessage("the message has no type")
    if kind in _FREE_TYPES:
        message = read_json(text, JSON_DEPTH_MAX + 1, ("payload",))
        fields = Fields(message, "the message")
    fields.text("from", 64)
    fields.text("to", 64)
    return Envelope(
        fields.uuid("id"),
        kind,
        fields.matching("ts", _TIME),
        fields.any("payload"),
        fields.text("replyTo", 64) if fields.has("replyTo") else None,
    )


def write_json(value: Mapping[str, Any] | JsonText) -> str:
    """Return the JSON of a message's payload, which or whose members may be `JsonText`."""
    if isinstance(value, JsonText):
        return value.text
    exact = [name for name, member in value.items() if isinstance(member, JsonText)]
    if not exact:
        return _dumps(value)
    members = [
        f"{_dumps(name)}:{member.text if isinstance(member, JsonText) else _dumps(member)}"
        for name, member in value.items()
    ]
    return "{" + ",".join(members) + "}"


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


_NANOS_PER_MILLI = 1_000_000


def rising_timestamps(now: Callable[[], float] = time.time) -> Callable[[], str]:
    """Return the maker of one connection's timestamps: RFC 3339 with nanoseconds, strictly increasing.

    They rise also within one millisecond and when the clock is set back: a mesh drops messages that are older than its session's floor.
    """
    last = nanos = second = 0
    shown = ""

    def next_timestamp() -> str:
        nonlocal last, nanos, second, shown
        at = int(now() * 1_000)
        if at > last:
            last, nanos = at, 0
        else:
            nanos += 1
            if nanos == _NANOS_PER_MILLI:
                last, nanos = last + 1, 0
        if last // 1_000 != second:
            second = last // 1_000
            shown = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{shown}.{last % 1_000:03d}{nanos:06d}Z"

    return next_timestamp
