"""What a mesh sends, right and wrong."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster._http.problem import api_error, problem_of, retry_after_header
from muster._json import JsonText
from muster._protocol.envelope import Envelope, read_envelope, rising_timestamps, write_json
from muster._protocol.inbound import read_inbound
from muster._protocol.inbound_types import TaskOffer, Welcome
from muster._protocol.reading import BadMessage
from vectors import REPOSITORY

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
TYPES = [
    "welcome",
    "rejection",
    "task_offer",
    "task_return",
    "task_cancel",
    "drain",
    "error",
    "disconnect",
    "ping",
    "pong",
    "sample",
    "task_shown",
    "get_stats",
    "deploy",
    "unknown",
]
ID = "5f0c8b1e-8d5c-4c5e-9b7e-0d4f3c2b1a00"
PEER = "0a" * 16
KEY = "0b" * 32
RIGHT: dict[str, dict[str, Any]] = {
    "welcome": {
        "peer_id": PEER,
        "epoch": 3,
        "role": "dual",
        "mesh": {"id": PEER, "name": "m", "public_key": KEY, "next_public_key": KEY, "more": 1},
        "reconnect": {"slot": 4, "per_second": 2.5},
        "discovery": {
            "signing_key": KEY,
            "epochs": [
                {"epoch": 1, "private_key": KEY, "pointer_secret": KEY, "expires_at": "2026"}
            ],
        },
        "more": [],
    },
    "rejection": {"code": "not_allowed", "reason": "no", "retry_after": 3},
    "task_offer": {
        "task_id": ID,
        "fence": 1,
        "kind": "a/b",
        "payload": JsonText("[1.50]"),
        "attempt": 1,
        "lease_seconds": 60,
        "attempt_timeout_seconds": 5.5,
        "seal_to": KEY,
        "upload": "x",
        "traceparent": "wrong",
        "tracestate": "a=1",
    },
    "task_return": {"task_id": ID, "fence": 2},
    "task_cancel": {"task_id": ID, "fence": 2, "reason": "r"},
    "drain": {"reason": "r", "timeout_seconds": 0},
    "error": {"code": 1004, "message": "m", "details": "lease_lost", "retry_after": -1},
    "disconnect": {},
    "ping": {"sentAt": 5},
    "pong": {"sentAt": 5, "receivedAt": 6},
    "sample": {"pointers": [PEER]},
    "task_shown": {"task": {"id": ID}, "ticket": "t"},
}


def refusal(kind: str, payload: Any) -> str | None:
    """Why a payload is none of a message's; None if it is."""
    try:
        read_inbound(kind, payload)
    except BadMessage as error:
        return str(error)
    return None


@given(st.sampled_from(TYPES), JSON)
def test_py5_any_json_is_a_message_or_is_refused(kind: str, payload: Any) -> None:
    said = refusal(kind, payload)
    assert said is None or len(said) < 500


@given(st.sampled_from(sorted(RIGHT)), st.data())
def test_py5_a_message_with_a_wrong_member_is_refused_or_read(
    kind: str, data: st.DataObject
) -> None:
    right = RIGHT[kind]
    assert read_inbound(kind, right) is not None
    if not right:
        return
    name = data.draw(st.sampled_from(sorted(right)))
    said = refusal(kind, {**right, name: data.draw(JSON)})
    assert said is None or said != ""


@given(st.text() | JSON.map(json.dumps))
def test_py5_any_text_is_an_envelope_or_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of them
        read_envelope(text)


def test_py5_an_envelope_keeps_the_text_of_payloads() -> None:
    text = (
        f'{{"id":"{ID}","type":"task_offer","from":"m","to":"p","ts":"2026-11-29T00:00:00.5Z",'
        f'"payload":{{"payload": [1.50, 12345678901234567890 ] }},"replyTo":"{ID}","more":1}}'
    )
    envelope = read_envelope(text)
    payload = {"payload": JsonText("[1.50, 12345678901234567890 ]")}
    assert envelope == Envelope(ID, "task_offer", "2026-11-29T00:00:00.5Z", payload, ID)
    request = (
        text.replace("task_offer", "get_stats").replace('{"payload": ', "").replace("] }", "]")
    )
    assert read_envelope(request).payload == JsonText("[1.50, 12345678901234567890 ]")


def test_py5_the_examples_of_the_messages_are_read() -> None:
    offer = read_inbound("task_offer", RIGHT["task_offer"])
    assert isinstance(offer, TaskOffer)
    assert (offer.payload.text, offer.traceparent, offer.tracestate) == ("[1.50]", None, "a=1")
    welcome = read_inbound("welcome", RIGHT["welcome"])
    assert isinstance(welcome, Welcome)
    assert welcome.mesh.next_public_key == KEY
    for huge in (10**400, math.inf, math.nan, True, "60"):
        with pytest.raises(BadMessage):
            read_inbound("task_offer", {**RIGHT["task_offer"], "lease_seconds": huge})


def test_py5_every_message_of_the_protocol_to_a_peer_is_known() -> None:
    schemas = {path.stem for path in (REPOSITORY / "docs" / "schema").glob("*.json")}
    for kind in RIGHT:
        assert kind in schemas, f"there is no schema of {kind}"


def test_py1_timestamps_rise_also_when_the_clock_is_set_back() -> None:
    times = iter([10.0, 10.0, 10.0004, 9.0, 10.001, 5.0, 11.0])
    timestamp = rising_timestamps(lambda: next(times))
    made = [timestamp() for _ in range(7)]
    assert made == sorted(set(made))
    assert made[0] == "1970-01-01T00:00:10.000000000Z"
    assert made[1] == "1970-01-01T00:00:10.000000001Z"
    assert made[-1] == "1970-01-01T00:00:11.000000000Z"


def test_py1_members_of_a_message_may_be_texts() -> None:
    assert write_json({"a": JsonText("1.50"), "b": None}) == '{"a":1.50,"b":null}'
    assert write_json(JsonText("[]")) == "[]"
    assert write_json({"b": "ü"}) == '{"b":"ü"}'


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5),
        ("99999999999999999999999", 86_400),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("Sun, 29 Nov 2026 12:00:30 GMT", 30),
        ("Sun, 29 Nov 2026 11:00:00 GMT", 0),
        ("Sun, 99 Nov 2026 11:00:00 GMT", None),
    ],
)
def test_py26_retry_after_is_read(header: str, seconds: float | None) -> None:
    headers = {"retry-after": header, "date": "Sun, 29 Nov 2026 12:00:00 GMT"}
    assert retry_after_header(headers) == seconds


def test_py26_a_problem_becomes_an_error_with_its_code() -> None:
    issues = [{"path": "kind", "message": "is wrong"}, {"path": "kind", "message": "is wrong"}, 5]
    problem = {"code": "invalid_request", "detail": "the body is wrong", "issues": issues}
    error = api_error(400, {}, json.dumps(problem).encode(), "http://h/")
    assert (error.code, error.status) == ("invalid_request", 400)
    assert str(error) == "invalid_request: the body is wrong (kind: is wrong)"
    assert error.help_url == "http://h/troubleshooting/invalid_request"
    for body in (b"", b"[]", b'{"code":5,"detail":"x"}', b"\xff", b'{"code":"A b","detail":""}'):
        assert problem_of(body) is None
        other = api_error(502, {"retry-after": "3"}, body, "http://h/")
        assert (other.code, other.retry_after) == ("invalid_response", 3)
