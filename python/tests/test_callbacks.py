from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import muster
from vectors import shared_vectors, vectors

CALLBACKS = vectors("callbacks")
FIRST = CALLBACKS["cases"][0]
EXAMPLE: dict[str, Any] = {
    "headers": FIRST["headers"],
    "body": FIRST["body_text"],
    "secret": FIRST["secrets"],
    "now": FIRST["now"],
}


@pytest.mark.parametrize("case", CALLBACKS["cases"], ids=lambda case: case["name"])
@pytest.mark.parametrize("form", ["text", "bytes"])
def test_py60_takes_and_refuses_the_callbacks_of_the_vectors(case: Any, form: str) -> None:
    body = case["body_text"] if form == "text" else case["body_text"].encode()
    given_headers = {name.title(): value for name, value in case["headers"].items()}
    if case["accepted"]:
        event = muster.verify_callback(given_headers, body, case["secrets"], now=case["now"])
        assert event.data.id == json.loads(case["body_text"])["data"]["id"]
    else:
        with pytest.raises(muster.MusterApiError) as raised:
            muster.verify_callback(given_headers, body, case["secrets"], now=case["now"])
        assert raised.value.code == case["code"]


def test_py60_takes_and_refuses_what_the_published_vectors_of_standard_webhooks_say() -> None:
    cases = [
        each for each in shared_vectors("webhooks.json") if each["scheme"] == "standard-webhooks"
    ]
    assert cases
    for case in cases:
        with pytest.raises((muster.MusterApiError, muster.OptionsError)) as raised:
            muster.verify_callback(case["headers"], case["body"], case["secret"], now=case["now"])
        # Their bodies are no callbacks: a valid signature shows in the code.
        is_accepted = getattr(raised.value, "code", "") == "invalid_request"
        assert is_accepted == case["accept"], case["name"]


def test_py60_the_result_keeps_its_text() -> None:
    texts = [
        muster.verify_callback(
            case["headers"], case["body_text"], case["secrets"], now=case["now"]
        ).data.result_text
        for case in CALLBACKS["cases"]
        if case["accepted"]
    ]
    for case, text in zip(
        [each for each in CALLBACKS["cases"] if each["accepted"]], texts, strict=True
    ):
        assert f'"result":{text}' in case["body_text"]


def test_py60_headers_come_as_every_framework_has_them() -> None:
    plain = FIRST["headers"]
    pairs = [(name.upper(), value) for name, value in plain.items()]
    raw = [(name.encode(), value.encode()) for name, value in plain.items()]
    for headers in (plain, pairs, raw):
        changed: Any = {**EXAMPLE, "headers": headers}
        assert muster.verify_callback(**changed).type == "task.succeeded"


@pytest.mark.parametrize(
    "change",
    [
        {"secret": []},
        {"secret": ""},
        {"secret": "whsec_"},
        {"secret": "whsec_whsec_MTIzNDU2Nzg5Ojs8PT4/QEFCQ0RFRkdISUpLTE1OT1A="},
        {"secret": "plain text"},
        {"secret": [FIRST["secrets"][0], "dG9vIHNob3J0"]},
        {"secret": b"bytes"},
        {"secret": [None]},
        {"secret": None},
        {"secret": 5},
        {"body": None},
        {"body": {"id": "parsed"}},
        {"body": 5},
        {"headers": None},
        {"headers": [1]},
        {"headers": ["abc"]},
        {"now": float("nan")},
        {"now": float("inf")},
    ],
)
def test_py60_what_can_verify_nothing_is_an_error_of_the_receiver(change: Any) -> None:
    with pytest.raises(muster.OptionsError) as raised:
        muster.verify_callback(**{**EXAMPLE, **change})
    for secret in FIRST["secrets"]:
        assert secret.removeprefix("whsec_") not in str(raised.value)


@given(st.data())
def test_py60_a_byte_that_was_changed_is_refused(data: Any) -> None:
    body = bytearray(FIRST["body_text"].encode())
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(muster.MusterApiError) as raised:
        muster.verify_callback(**{**EXAMPLE, "body": bytes(body)})
    assert raised.value.code == "signature_invalid"


@given(st.dictionaries(st.sampled_from(list(FIRST["headers"])), st.text()), st.binary(max_size=99))
def test_py60_hostile_headers_and_bodies_are_refused(headers: Any, body: bytes) -> None:
    with pytest.raises(muster.MusterApiError) as raised:
        muster.verify_callback(headers, body, FIRST["secrets"], now=FIRST["now"])
    assert raised.value.code in ("signature_missing", "signature_invalid")


def test_py60_a_delivery_that_the_sdk_signs_verifies() -> None:
    secret = muster.new_webhook_secret()
    task = json.loads(FIRST["body_text"])["data"]["id"]
    headers = muster.sign_delivery(secret, id=task, at=FIRST["now"], body=FIRST["body_text"])
    changed: Any = {**EXAMPLE, "headers": headers, "secret": [muster.new_webhook_secret(), secret]}
    assert muster.verify_callback(**changed).data.id == task
