"""The JSON text of a value, which reads back equal to the value, or what of it JSON would change in silence."""

from __future__ import annotations

import json
import math
import secrets
from typing import Any, NoReturn

from muster._json.flaw import JsonFlaw, check_text, is_well_formed
from muster._json.path import show_path
from muster._json.text import JsonText

SAFE_INTEGER_MAX = 2**53 - 1
"""Beyond it, programs that read numbers as doubles read another number (RFC 7493 section 2.2)."""


def json_of_value(value: Any, root: str, max_depth: int) -> str:
    """Return the JSON text of a value; raise `JsonFlaw` for what JSON would change in silence.

    That is NaN and the infinities, integers that JavaScript rounds, bytes, sets and other collections, instances of classes, keys that
    are no strings, halves of surrogate pairs, and what contains itself. Tuples are written as arrays. A `JsonText` stands for exactly its
    text. `root` names the value in paths. Each member is read once: what was checked is what is written.
    """
    check = _ValueCheck(root, max_depth)
    checked = check.visit(value)
    if not check.texts:
        return _dumps(checked)
    return check.with_texts(_dumps(checked))


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class _ValueCheck:
    def __init__(self, root: str, max_depth: int) -> None:
        self._root = root
        self._max_depth = max_depth
        self._path: list[str | int] = []
        self._open: set[int] = set()
        self.texts: list[str] = []
        """The JSON texts in the value, for each of which a marker is written: a string that no value has."""
        self._marker = secrets.token_hex(16)

    def visit(self, value: Any) -> Any:  # noqa: PLR0911 - one answer for each type
        """Return the value as it is written."""
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return self._string(str.__str__(value))
        if isinstance(value, int):
            return self._integer(int.__int__(value))
        if isinstance(value, float):
            return self._float(float.__float__(value))
        if isinstance(value, JsonText):
            return self._text(value)
        if isinstance(value, dict):
            return self._container(value)
        if isinstance(value, list) or (isinstance(value, tuple) and not hasattr(value, "_fields")):
            return self._container(value)
        return self._refuse(_without_json(value))

    def with_texts(self, written: str) -> str:
        """Put each JSON text into the place of its marker."""
        parts = written.split(f'"{self._marker}"')
        whole = [parts[0]]
        for text, rest in zip(self.texts, parts[1:], strict=True):
            whole += (text, rest)
        return "".join(whole)

    def _string(self, text: str) -> str:
        if not is_well_formed(text):
            self._refuse("the string has half of a surrogate pair, which some readers replace")
        return text

    def _integer(self, number: int) -> int:
        if not -SAFE_INTEGER_MAX <= number <= SAFE_INTEGER_MAX:
            self._refuse(
                "the integer is beyond 2^53, and JavaScript would round it; "
                "use a string, or JsonText for exactly these digits"
            )
        return number

    def _float(self, number: float) -> float:
        if not math.isfinite(number):
            self._refuse(f"JSON has no {number}; use None or a string")
        return number

    def _text(self, value: JsonText) -> Any:
        check_text(value.text, self._shown(), self._max_depth - len(self._open))
        self.texts.append(value.text)
        return self._marker

    def _container(self, value: dict[Any, Any] | list[Any] | tuple[Any, ...]) -> Any:
        if id(value) in self._open:
            self._refuse("the value contains itself")
        if len(self._open) >= self._max_depth:
            self._refuse(f"the value is nested deeper than {self._max_depth} levels")
        self._open.add(id(value))
        written = self._members(value) if isinstance(value, dict) else self._items(value)
        self._open.discard(id(value))
        return written

    def _items(self, items: list[Any] | tuple[Any, ...]) -> list[Any]:
        written = []
        for index, item in enumerate(list(items)):
            self._path.append(index)
            written.append(self.visit(item))
            self._path.pop()
        return written

    def _members(self, members: dict[Any, Any]) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for key, value in list(members.items()):
            if not isinstance(key, str):
                self._refuse(f"JSON has no key of the type {type(key).__name__}; use a string")
            name = str.__str__(key)
            self._path.append(name)
            if name in written:
                self._refuse("two keys have this text")
            if not is_well_formed(name):
                self._refuse("the key has half of a surrogate pair")
            written[name] = self.visit(value)
            self._path.pop()
        return written

    def _shown(self) -> str:
        return show_path(self._root, self._path)

    def _refuse(self, message: str) -> NoReturn:
        raise JsonFlaw(self._shown(), message)


_INSTEAD = {
    "bytes": "base64 in a string",
    "bytearray": "base64 in a string",
    "memoryview": "base64 in a string",
    "set": "a list",
    "frozenset": "a list",
    "Decimal": "a string, or JsonText for exactly these digits",
    "datetime": "its isoformat()",
    "date": "its isoformat()",
    "ndarray": "its tolist()",
    "coroutine": "its result: is an await missing?",
    "function": "what it returns",
}


def _without_json(value: Any) -> str:
    name = type(value).__name__[:80]
    if hasattr(value, "__dataclass_fields__"):
        return f"JSON has no instance of {name}; use dataclasses.asdict"
    if hasattr(value, "_fields"):
        return f"JSON has no named tuple ({name}); use its _asdict()"
    if hasattr(value, "dtype") and hasattr(value, "item") and name != "ndarray":
        return f"JSON has no {name}; use its item()"
    return f"JSON has no {name}; use {_INSTEAD.get(name, 'a dict, a list, a string, a number, True, False or None')}"
