"""The options of methods: names and types are checked before anything is sent."""

from __future__ import annotations

import functools
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from difflib import get_close_matches
from typing import Any

from muster._crypto.identity import KeyPair
from muster.errors import OptionsError

OUTAGE_DEFAULT = 60.0
"""How long a call that waits for a task goes on without an answer of the mesh, unless the program says otherwise."""

_WRONGS_SHOWN = 20


def check_options(method: str, given: Mapping[str, Any], kind: type) -> None:
    """Raise `OptionsError` that names everything that is wrong with the options of a method.

    `kind` is the `TypedDict` of the options. Values are not shown: some are secrets.
    """
    wrongs = _wrong_options(method, given, kind, "")
    if wrongs:
        raise OptionsError("; ".join(wrongs[:_WRONGS_SHOWN]))


def seconds_of(name: str, given: float | None, otherwise: float) -> float:
    """A time in seconds, which may be infinite; raises `OptionsError` if it is no time."""
    if given is None:
        return otherwise
    if not _is_number(given) or given < 0:
        raise OptionsError(f"`{name}` is a number of seconds, 0 or more; not {str(given)[:80]}")
    return float(given)


def time_text(at: datetime) -> str:
    """A time as the API has it: RFC 3339, UTC."""
    return at.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def given_only(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members that are given: None means that an option is not."""
    return {name: value for name, value in members.items() if value is not None}


def _wrong_options(method: str, given: Mapping[str, Any], kind: type, path: str) -> list[str]:
    hints = _hints(kind)
    unknown = [_unknown(method, name, path, hints) for name in given if name not in hints]
    wrongs = []
    for name, hint in hints.items():
        if name in given:
            wrongs += _wrong_value(method, f"{path}{name}", given[name], hint)
        elif name in _required(kind):
            wrongs.append(f"{method} needs `{path}{name}`")
    return unknown + wrongs


def _unknown(method: str, name: str, path: str, hints: Mapping[str, Any]) -> str:
    near = get_close_matches(str(name), hints, n=1)
    question = f"; did you mean `{path}{near[0]}`?" if near else ""
    return f"{method} has no option `{path}{str(name)[:80]}`{question}"


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _required(kind: type) -> frozenset[str]:
    return getattr(kind, "__required_keys__", frozenset())


def _wrong_value(method: str, path: str, value: object, hint: Any) -> list[str]:
    options = _alternatives(hint)
    if any(_fits(value, option) for option in options):
        return []
    for option in options:
        if typing.is_typeddict(option) and isinstance(value, Mapping):
            return _wrong_options(method, value, option, f"{path}.")
    wanted = " or ".join(dict.fromkeys(_name_of(option) for option in options))
    return [f"`{path}` of {method} is {wanted}, not {_type_name(value)}"]


def _alternatives(hint: Any) -> list[Any]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return [each for option in typing.get_args(hint) for each in _alternatives(option)]
    return [hint]


def _fits(value: object, hint: Any) -> bool:
    if hint is Any:
        return True
    if typing.is_typeddict(hint):
        return isinstance(value, Mapping) and not _wrong_options("", value, hint, "")
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return isinstance(value, str) and value in typing.get_args(hint)
    if origin is Sequence:
        inner = typing.get_args(hint)[0]
        is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        return is_list and all(_fits(each, inner) for each in typing.cast("Sequence[Any]", value))
    if origin is not None:
        return isinstance(value, origin)
    return _PLAIN[hint][1](value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_aware(value: object) -> bool:
    return isinstance(value, datetime) and value.utcoffset() is not None


_PLAIN: Mapping[Any, tuple[str, Callable[[object], bool]]] = {
    str: ("a string", lambda value: isinstance(value, str)),
    bytes: ("bytes", lambda value: isinstance(value, bytes | bytearray | memoryview)),
    bool: ("True or False", lambda value: isinstance(value, bool)),
    float: ("a number", _is_number),
    int: ("an integer", _is_integer),
    datetime: ("a datetime with a time zone", _is_aware),
    KeyPair: ("a key pair", lambda value: isinstance(value, KeyPair)),
    type(None): ("None", lambda value: value is None),
}


def _name_of(hint: Any) -> str:
    if typing.is_typeddict(hint):
        return "a dict"
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return f"one of {', '.join(typing.get_args(hint))}"
    if origin is Sequence:
        return f"a list of {_name_of(typing.get_args(hint)[0]).removeprefix('a ')}s"
    if origin is not None:
        return "a function" if origin is Callable else "a dict"
    return _PLAIN[hint][0]


def _type_name(value: object) -> str:
    if isinstance(value, datetime):
        return "a datetime without a time zone"
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if value is None:
        return "None"
    return {str: "another string", bool: "a bool", int: "an int"}.get(
        type(value), f"a {type(value).__name__[:80]}"
    )
