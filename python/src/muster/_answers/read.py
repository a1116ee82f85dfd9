"""Makes the dataclasses of answers from JSON that another program wrote."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from muster._json import JsonText

T = TypeVar("T")
Reader = Callable[[object], object]

_INT_MAX = 2**53 - 1


class Mismatch(Exception):  # noqa: N818 - its text becomes part of an error
    """A value is not what an answer of the API has in its place."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.path: list[str] = []

    def __str__(self) -> str:
        place = ".".join(self.path)
        return f"{place}: {self.message}" if place else self.message


def read(kind: type[T], value: object) -> T:
    """Reads a value as an instance of `kind`.

    Members that the class does not have are skipped: a newer mesh has them. Raises `Mismatch`.
    """
    hint: Any = kind
    return typing.cast("T", reader_of(hint)(value))


@functools.cache
def reader_of(hint: Any) -> Reader:  # noqa: PLR0911 - one answer for each form of a type
    """Returns the function that reads values of this type."""
    if hint is Any:
        return _anything
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _object_reader(hint)
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return _one_of(typing.get_args(hint))
    if origin is tuple:
        return _list_of(reader_of(typing.get_args(hint)[0]))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping_of(reader_of(typing.get_args(hint)[1]))
    if origin is typing.Union or origin is types.UnionType:
        return _any_of([reader_of(each) for each in typing.get_args(hint)])
    return _PLAIN[hint]


def _anything(value: object) -> object:
    return value


def _none(value: object) -> None:
    if value is not None:
        raise _expected("null", value)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise _expected("a string", value)


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _expected("true or false", value)


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise _expected("a number", value)


def _integer(value: object) -> int:
    # JSON has one type of numbers: 1.0 is an integer, too.
    number = _number(value)
    if not abs(number) <= _INT_MAX or number != int(number):
        raise _expected("an integer", value)
    return int(number)


_PLAIN: Mapping[Any, Reader] = {
    type(None): _none,
    str: _text,
    bool: _boolean,
    float: _number,
    int: _integer,
}


def _one_of(options: tuple[object, ...]) -> Reader:
    def reader(value: object) -> object:
        if isinstance(value, str | int) and value in options:
            return value
        raise Mismatch(f"expected one of {', '.join(map(str, options))}")

    return reader


def _list_of(item: Reader) -> Reader:
    def reader(value: object) -> object:
        if not isinstance(value, list):
            raise _expected("a list", value)
        return tuple(_at(str(index), item, each) for index, each in enumerate(value))

    return reader


def _mapping_of(member: Reader) -> Reader:
    def reader(value: object) -> object:
        return {name: _at(name, member, each) for name, each in _members(value).items()}

    return reader


def _any_of(readers: list[Reader]) -> Reader:
    def reader(value: object) -> object:
        mismatches = []
        for each in readers:
            try:
                return each(value)
            except Mismatch as mismatch:  # noqa: PERF203 - each alternative is tried
                mismatches.append(mismatch)
        # The one that got furthest was meant.
        raise max(mismatches, key=lambda mismatch: len(mismatch.path))

    return reader


def _object_reader(kind: Any) -> Reader:
    fields = dataclasses.fields(kind)

    @functools.cache
    def readers() -> tuple[tuple[str, bool, Reader], ...]:
        hints = typing.get_type_hints(kind)
        return tuple(
            (each.name, _is_required(each), reader_of(hints[each.name])) for each in fields
        )

    def reader(value: object) -> object:
        given = _members(value)
        read_fields = {}
        for name, is_required, field in readers():
            if name in given:
                read_fields[name] = _at(name, field, _parsed(given[name]))
            elif name.endswith("_text") and isinstance(given.get(name[:-5]), JsonText):
                read_fields[name] = given[name[:-5]].text
            elif is_required:
                raise _in(name, _missing())
        return kind(**read_fields)

    return reader


def _parsed(value: object) -> object:
    """A member whose text was kept."""
    return json.loads(value.text) if isinstance(value, JsonText) else value


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _members(value: object) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    raise _expected("an object", value)


def _at(step: str, reader: Reader, value: object) -> object:
    try:
        return reader(value)
    except Mismatch as mismatch:
        raise _in(step, mismatch) from None


def _in(step: str, mismatch: Mismatch) -> Mismatch:
    mismatch.path.insert(0, step)
    return mismatch


def _missing() -> Mismatch:
    return Mismatch("it is missing")


_NAMES: Mapping[type, str] = {
    type(None): "null",
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


def _expected(what: str, value: object) -> Mismatch:
    return Mismatch(f"expected {what}, received {_NAMES.get(type(value), 'something else')}")
