"""JSON of a message or of an answer, in which the payloads and results of tasks also keep their text."""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeAlias

from muster._json.depth import is_deeper
from muster._json.text import JsonText

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

PAYLOAD_DEPTH_MAX = 64
"""Deeper than any mesh takes."""
_WHITE_SPACE = " \t\n\r"


class _ReadError(ValueError):
    pass


def _refuse(_: str) -> NoReturn:
    raise _ReadError


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)  # more digits than Python reads at once


_decoder = json.JSONDecoder(parse_constant=_refuse, parse_int=_number)


def payload_of(text: str) -> Any:
    """Return the value of a payload, which a mesh has checked."""
    return read_json(text, PAYLOAD_DEPTH_MAX)


def read_json(text: str, max_depth: int, *exact: tuple[str, ...]) -> Any:
    """Return the value of a JSON text, in which the members at the paths of `exact` are `JsonText`.

    Raises `ValueError` if the text is not JSON or nested deeper than `max_depth`.
    """
    if is_deeper(text, max_depth):
        raise _ReadError
    try:
        value, end = _value(text, _skip(text, 0), exact)
    except (IndexError, RecursionError, ValueError):
        raise _ReadError from None
    if _skip(text, end) != len(text):
        raise _ReadError
    return value


def _value(text: str, at: int, exact: tuple[tuple[str, ...], ...]) -> tuple[Any, int]:
    if not exact or text[at] != "{":
        value, end = _decoder.raw_decode(text, at)
        return (JsonText(text[at:end]), end) if () in exact else (value, end)
    if () in exact:
        _, end = _decoder.raw_decode(text, at)
        return JsonText(text[at:end]), end
    return _members(text, at + 1, exact)


def _members(text: str, at: int, exact: tuple[tuple[str, ...], ...]) -> tuple[dict[str, Any], int]:
    members: dict[str, Any] = {}
    at = _skip(text, at)
    if text[at] == "}":
        return members, at + 1
    while True:
        if text[at] != '"':
            raise _ReadError
        key, at = _decoder.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] != ":":
            raise _ReadError
        inner = tuple(path[1:] for path in exact if path[0] == key)
        members[key], at = _value(text, _skip(text, at + 1), inner)
        at = _skip(text, at)
        if text[at] == "}":
            return members, at + 1
        if text[at] != ",":
            raise _ReadError
        at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _WHITE_SPACE:
        at += 1
    return at
