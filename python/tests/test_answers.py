from __future__ import annotations

import contextlib
import dataclasses
import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import muster
from muster._answers import admission, discovery, tasks
from muster._answers.read import Mismatch, read
from muster._json import read_json


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    number: float
    whole: int = 3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    text: str
    flag: bool
    state: Literal["a", "b"]
    inner: Inner | None
    many: tuple[Inner, ...] = ()
    either: Inner | str | None = None
    payload: Any = None
    payload_text: str = "null"


GIVEN: dict[str, Any] = {"text": "t", "flag": True, "state": "a", "inner": {"number": 1}}


def test_py40_what_is_absent_has_its_default_and_what_is_unknown_is_skipped() -> None:
    value = {**GIVEN, "newer": {"x": 1}, "many": [{"number": 1.5, "newer": 2}], "either": "e"}
    inner = Inner(number=1.5)
    assert read(Example, value) == Example(
        text="t", flag=True, state="a", inner=Inner(number=1), many=(inner,), either="e"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": 1}, "text: expected a string, received a number"),
        ({"text": None}, "text: expected a string, received null"),
        ({"flag": 1}, "flag: expected true or false, received a number"),
        ({"state": "c"}, "state: expected one of a, b"),
        ({"inner": []}, "inner: expected an object, received a list"),
        ({"inner": {"number": True}}, "inner.number: expected a number, received true or false"),
        ({"inner": {"number": 1, "whole": 1.5}}, "inner.whole: expected an integer"),
        ({"inner": {"number": 1, "whole": 2**53}}, "inner.whole: expected an integer"),
        ({"inner": {}}, "inner.number: it is missing"),
        ({"many": {}}, "many: expected a list, received an object"),
        ({"many": [{"number": 1}, {"number": "2"}]}, "many.1.number: expected a number"),
        ({"either": {"number": "1"}}, "either.number: expected a number"),
    ],
)
def test_py40_a_mismatch_names_its_place(change: Any, message: str) -> None:
    with pytest.raises(Mismatch) as raised:
        read(Example, {**GIVEN, **change})
    assert str(raised.value).startswith(message)


def test_py40_json_has_one_type_of_numbers() -> None:
    assert read(Inner, {"number": 2, "whole": 4.0}) == Inner(number=2, whole=4)


def test_py40_a_member_keeps_its_text() -> None:
    text = json.dumps(GIVEN)[:-1] + ',"payload": { "big":12345678901234567890, "f" : 1.10 } }'
    example = read(Example, read_json(text, 32, ("payload",)))
    assert example.payload == {"big": 12345678901234567890, "f": 1.1}
    assert example.payload_text == '{ "big":12345678901234567890, "f" : 1.10 }'


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*GIVEN, "many", "either"]) | st.text(), inner, max_size=6
        )
    ),
)


@given(JSON)
def test_py40_any_json_is_an_answer_or_a_mismatch(value: Any) -> None:
    for kind in (Example, tasks.Task, tasks.BatchView, discovery.PointerList):
        with contextlib.suppress(Mismatch):
            read(kind, value)


def test_py42_secrets_are_not_in_the_text_of_an_answer() -> None:
    secret = "f" * 64
    epoch = discovery.EpochKeys(epoch=1, private_key=secret, pointer_secret=secret, expires_at="")
    shown = [
        discovery.DiscoveryKeys(signing_key="", epochs=(epoch,)),
        muster.NewTokenView(
            id="", label="", scope="admin", prefix="", created_at="", revoked_at=None, token=secret
        ),
        admission.NewJoinKeyView(
            id="", label="", roles=(), prefix="", uses_left=1, expires_at="", created_at="",
            revoked_at=None, key=secret, link=secret,
        ),
        muster.CallbackSecretView(
            owner="", origin="", version=1, secret=secret, rotated_at=None, previous=None
        ),
    ]  # fmt: skip
    assert secret not in repr(shown)


def test_py40_answers_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Inner(number=1).number = 2  # type: ignore[misc]
