from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster._json.cut import is_cut_json

JSON_TYPE = "application/json; charset=utf-8"
OBJECTS = st.dictionaries(
    st.text(),
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
)


@pytest.mark.parametrize(
    "value",
    [{"\\": None}, {"a": '\\\\"'}, {"a": "\U00010000\ud7ff"}, {"a": [-1.5e-7, True, False, None]}],
)
@pytest.mark.parametrize("is_ascii", [True, False])
def test_py43_an_object_is_cut_wherever_it_ends_early(value: Any, is_ascii: bool) -> None:
    body = json.dumps(value, ensure_ascii=is_ascii).encode()
    assert all(is_cut_json(JSON_TYPE, body[:end]) for end in range(1, len(body)))


@given(OBJECTS, st.booleans(), st.data())
def test_py43_every_beginning_of_an_object_is_cut(value: Any, is_ascii: bool, data: Any) -> None:
    body = json.dumps(value, ensure_ascii=is_ascii).encode()
    end = data.draw(st.integers(1, len(body) - 1))
    assert is_cut_json(JSON_TYPE, body[:end])
    assert not is_cut_json(JSON_TYPE, body)


@pytest.mark.parametrize(
    "body", [b"<html>", b'{"a" 1', b"{]", b'{"a": nul }', b"{} {}", b'{"a\n": 1', b"\xff\xff"]
)
def test_py43_what_is_no_beginning_of_json_is_not_cut(body: bytes) -> None:
    assert not is_cut_json(JSON_TYPE, body)


def test_py43_only_what_says_that_it_is_json_is_looked_at() -> None:
    assert is_cut_json("application/problem+json", b'{"a')
    assert not is_cut_json("text/html", b'{"a')
    assert not is_cut_json(JSON_TYPE, b"")


@given(st.binary(max_size=80))
def test_py43_any_bytes_are_judged(body: bytes) -> None:
    assert is_cut_json(JSON_TYPE, body) in (True, False)
