"""JSON that is sent as exactly the text that a program gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JsonText:
    """A JSON value that is sent as exactly this text: `JsonText('{"id": 9007199254740993}')`.

    It may stand for a payload, for a result, and for any value inside them.
    """

    text: str
