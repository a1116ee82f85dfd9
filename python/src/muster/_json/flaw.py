"""What in a JSON text some reader would change in silence."""

from __future__ import annotations

import json
import math
from json.decoder import JSONDecodeError
from typing import Any, NoReturn

from muster._json.depth import is_deeper

HALF_PAIR = "the string has half of a surrogate pair, which some readers replace; send text that is valid Unicode"
_SHOWN_MAX = 40


class JsonFlaw(Exception):  # noqa: N818 - no error of a program: its text becomes part of one
    """Why a value can't be passed on as it is, in words, and where."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


def check_text(text: str, path: str, max_depth: int) -> None:
    """Raise `JsonFlaw` for the first thing in a JSON text that some reader would change in silence.

    That is a number that no double holds, a key that occurs twice in its object, or half of a surrogate pair; also what is not JSON, or
    too deep.
    """
    if is_deeper(text, max_depth):
        raise JsonFlaw(path, f"the JSON text is nested deeper than {max_depth} levels")

    def members(pairs: list[tuple[str, Any]]) -> None:
        seen = set()
        for key, value in pairs:
            if key in seen:
                raise JsonFlaw(
                    path, f"the key {json.dumps(key)} occurs twice in its object; send it once"
                )
            seen.add(key)
            if not is_well_formed(key) or not _well_formed(value):
                raise JsonFlaw(path, HALF_PAIR)

    try:
        value = json.loads(
            text,
            object_pairs_hook=members,
            parse_constant=_no_constant,
            parse_int=lambda number: _check_number(number, path),
            parse_float=lambda number: _check_number(number, path),
        )
    except (JSONDecodeError, RecursionError) as error:
        place = f" (at character {error.pos})" if isinstance(error, JSONDecodeError) else ""
        raise JsonFlaw(path, f"the text is not JSON{place}") from None
    if not _well_formed(value):
        raise JsonFlaw(path, HALF_PAIR)


def is_well_formed(text: str) -> bool:
    """Whether a string has no half of a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _well_formed(value: Any) -> bool:
    """Whether the strings of a value are well-formed; objects were checked when they were read, and are None."""
    if isinstance(value, str):
        return is_well_formed(value)
    return not isinstance(value, list) or all(map(_well_formed, value))


def _no_constant(name: str) -> NoReturn:
    raise JSONDecodeError(f"JSON has no {name}", name, 0)


def _check_number(text: str, path: str) -> float:
    number = float(text)
    if math.isinf(number):
        shown = f"{text[:_SHOWN_MAX]}…" if len(text) > _SHOWN_MAX else text
        raise JsonFlaw(path, f"the number {shown} is larger than any double; send it as a string")
    return number
