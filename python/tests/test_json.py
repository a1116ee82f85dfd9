from __future__ import annotations

import json
import math
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster._json import JsonFlaw, JsonText, json_of_value, read_json

INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS: st.SearchStrategy[Any] = st.none() | st.booleans() | INTEGERS | TEXT
SCALARS |= st.floats(allow_nan=False, allow_infinity=False)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20
)


@given(VALUES)
def test_a_json_value_reads_back_equal(value: Any) -> None:
    assert json.loads(json_of_value(value, "payload", 30)) == value


@given(VALUES)
def test_a_json_text_is_sent_as_exactly_its_text(value: Any) -> None:
    text = json.dumps(value, indent=1)
    written = json_of_value({"before": [1], "text": JsonText(text), "after": "x"}, "payload", 32)
    assert text in written
    assert json.loads(written) == {"before": [1], "text": value, "after": "x"}


class Color(str, Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


def test_what_json_has_under_another_type_is_written_as_its_value() -> None:
    value = {"color": Color.RED, "level": Level.HIGH, "pair": (1, 2), "more": OrderedDict(a=1)}
    expected = '{"color":"red","level":3,"pair":[1,2],"more":{"a":1}}'
    assert json_of_value(value, "payload", 30) == expected
    assert json_of_value(-0.0, "payload", 30) == "-0.0"


@dataclass
class Point:
    x: int


Pair = namedtuple("Pair", "x y")  # noqa: PYI024 - what a program may return
CYCLE: list[Any] = []
CYCLE.append(CYCLE)
DEEP: Any = 0
for _ in range(31):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (math.nan, "JSON has no nan"),
        (math.inf, "JSON has no inf"),
        (2**53, "beyond 2^53"),
        (-(2**53), "beyond 2^53"),
        (b"ab", "JSON has no bytes; use base64 in a string"),
        (bytearray(b"ab"), "JSON has no bytearray"),
        ({1, 2}, "JSON has no set; use a list"),
        (Decimal("1.1"), "JSON has no Decimal"),
        (datetime.now(timezone.utc), "its isoformat()"),
        (Point(1), "dataclasses.asdict"),
        (Pair(1, 2), "its _asdict()"),
        (object(), "JSON has no object"),
        ("\ud800", "half of a surrogate pair"),
        ({"\udfff": 1}, "half of a surrogate pair"),
        ({1: 2}, "no key of the type int"),
        ({True: 2}, "no key of the type bool"),
        (CYCLE, "contains itself"),
        (DEEP, "nested deeper than 30 levels"),
        (JsonText("{"), "not JSON"),
        (JsonText("NaN"), "not JSON"),
        (JsonText("1e999"), "larger than any double"),
        (JsonText("9" * 400), "larger than any double"),
        (JsonText('{"a":1,"a":2}'), "occurs twice"),
        (JsonText('"\\ud800"'), "half of a surrogate pair"),
        (JsonText('{"a":[{"b":"\\udfff"}]}'), "half of a surrogate pair"),
        (JsonText("[" * 31 + "]" * 31), "nested deeper"),
        (JsonText("1 2"), "not JSON"),
        (JsonText(""), "not JSON"),
    ],
)
def test_what_json_would_change_is_refused_with_its_path(value: Any, says: str) -> None:
    with pytest.raises(JsonFlaw) as found:
        json_of_value(value, "result", 30)
    assert says in found.value.message
    if value is DEEP:
        return
    with pytest.raises(JsonFlaw) as inside:
        json_of_value({"items": [0, value], "odd name": 1}, "result", 30)
    assert inside.value.path.startswith("result.items[1]")


class Changing(dict[str, Any]):
    """Its second reading differs from the first."""

    def items(self) -> Any:
        self["late"] = math.nan
        return [("a", 1)]


def test_what_was_checked_is_what_is_written() -> None:
    assert json_of_value(Changing(), "payload", 30) == '{"a":1}'


@given(VALUES)
def test_a_message_is_read_with_the_text_of_its_exact_members(value: Any) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    message = f'{{ "type" : "x", "payload":{{"payload": {text} , "n":1}}, "odd": [] }}'
    read = read_json(message, 40, ("payload", "payload"))
    assert read["payload"]["payload"] == JsonText(text)
    assert read["payload"]["n"] == 1
    assert read["odd"] == []


@given(st.text() | VALUES.map(json.dumps).map(lambda text: text[:-1]))
def test_reading_takes_what_json_loads_takes(text: str) -> None:
    def refuse(_: str) -> None:
        raise ValueError

    try:
        expected: Any = json.loads(text, parse_constant=refuse)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011 - any of them
            read_json(text, 32, ("a", "b"))
    else:
        read = read_json(text, 32, ("a", "b"))
        assert read == expected


@pytest.mark.parametrize(
    "text",
    ["[" * 33 + "]" * 33, "[" * 100_000, '{"a":' * 33 + "1" + "}" * 33, '"', '"\\', '{"a":"', "{"],
)
def test_what_is_too_deep_or_cut_off_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of them
        read_json(text, 32)


def test_brackets_in_strings_do_not_count_as_depth() -> None:
    value = ['[{"\\' * 100, "]" * 50]
    assert read_json(json.dumps(value), 32) == value


def test_a_number_of_more_digits_than_python_reads_at_once_is_read() -> None:
    assert read_json(f'{{"a":{"9" * 5_000}}}', 32) == {"a": math.inf}
