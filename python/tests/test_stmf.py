from __future__ import annotations

import asyncio
import json
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshes import CHECKOUT, node
from muster import identity_from, stmf
from muster._base.bytes import to_base64
from muster._crypto.xchacha import xchacha_open, xchacha_seal
from muster._stmf.task_result import open_result, seal_result
from vectors import shared_vectors, vectors

STMF = vectors("stmf")
BORG = "borg-stmf.json"


def form_of(value: Any) -> stmf.Form:
    fields = [stmf.Field(**each) for each in value["fields"]]
    return stmf.Form(fields, value.get("meta", {}))


@pytest.mark.parametrize("case", STMF["one_recipient"], ids=lambda case: case["name"])
def test_py50_opens_the_containers_of_the_vectors(case: Any) -> None:
    opened = stmf.decrypt(
        bytes.fromhex(case["container"]), bytes.fromhex(STMF["recipient_private_key"])
    )
    assert opened == form_of(case["form"])


@pytest.mark.parametrize(
    "case", STMF["several_recipients"]["containers"], ids=lambda case: case["name"]
)
def test_py50_each_recipient_opens_a_container_for_several(case: Any) -> None:
    for key in STMF["several_recipients"]["private_keys"]:
        opened = stmf.decrypt(bytes.fromhex(case["container"]), bytes.fromhex(key))
        assert opened == form_of(case["form"])


@pytest.mark.parametrize("case", STMF["refused"], ids=lambda case: case["why"])
def test_py50_refuses_containers_with_the_code_that_says_why(case: Any) -> None:
    key = bytes.fromhex(case.get("private_key", STMF["recipient_private_key"]))
    with pytest.raises(stmf.StmfError) as raised:
        stmf.decrypt(bytes.fromhex(case["container"]), key)
    assert raised.value.code == case["code"]


def test_py50_opens_a_sealed_result() -> None:
    key = bytes.fromhex(STMF["recipient_private_key"])
    sealed = STMF["sealed_result"]
    opened = open_result(bytes.fromhex(sealed["container"]), key)
    assert opened.decode() == sealed["result_text"]


def test_py50_opens_the_containers_of_borg() -> None:
    for case in shared_vectors(BORG):
        opened = stmf.decrypt(case["encrypted_b64"], case["private_key"])
        assert to_base64(stmf.public_key_of(case["private_key"])) == case["public_key"]
        for name, value in case["expected_fields"].items():
            assert stmf.value_of(opened, name) == value


def test_py50_xchacha20_poly1305_is_that_of_wycheproof() -> None:
    groups = shared_vectors("wycheproof/xchacha20_poly1305_test.json")["testGroups"]
    for case in [test for group in groups for test in group["tests"]]:
        key, nonce, aad, plain, sealed = (
            bytes.fromhex(case[name]) for name in ("key", "iv", "aad", "msg", "ct")
        )
        whole = sealed + bytes.fromhex(case["tag"])
        if len(nonce) != 24:
            continue
        if case["result"] == "valid":
            assert xchacha_seal(key, nonce, plain, aad) == whole
            assert xchacha_open(key, nonce, whole, aad) == plain
        else:
            assert xchacha_open(key, nonce, whole, aad) is None


LABELS = st.text(max_size=20)
FIELDS = st.builds(stmf.Field, LABELS, st.text(max_size=200), LABELS, LABELS, LABELS)
FORMS = st.builds(
    stmf.Form,
    st.lists(FIELDS, max_size=6),
    st.dictionaries(LABELS.filter(lambda name: name != "__proto__"), st.text(), max_size=4),
)


@given(FORMS, st.integers(1, 5))
def test_py50_what_is_sealed_opens_to_the_same_form(form: stmf.Form, recipients: int) -> None:
    keys = [stmf.generate_key_pair() for _ in range(recipients)]
    container = stmf.encrypt(form, [key.public_key for key in keys])
    assert stmf.validate(container)
    assert stmf.inspect(container).recipients_max >= recipients
    for key in keys:
        opened = stmf.decrypt(container, key.private_key)
        assert (list(opened.fields), dict(opened.meta)) == (list(form.fields), dict(form.meta))


KEY = identity_from("5a" * 32)
CONTAINERS = [
    stmf.encrypt(stmf.Form([stmf.text_field("a", "b")]), KEY.public_key),
    stmf.encrypt(
        stmf.Form([stmf.text_field("a", "b")]),
        [KEY.public_key, stmf.generate_key_pair().public_key],
    ),
]


@given(st.sampled_from(CONTAINERS), st.data())
def test_py50_a_container_that_was_changed_does_not_open(container: bytes, data: Any) -> None:
    at = data.draw(st.integers(0, len(container) - 1))
    changed = bytearray(container)
    changed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(stmf.StmfError):
        stmf.decrypt(bytes(changed), KEY.private_key)


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda rest: b"STMF\x02" + rest))
def test_py50_hostile_bytes_are_refused(data: bytes) -> None:
    assert not stmf.validate(data)
    with pytest.raises(stmf.StmfError):
        stmf.decrypt(data, KEY.private_key)


@pytest.mark.parametrize(
    ("form", "recipients", "code"),
    [
        (stmf.Form([]), [], "recipients_invalid"),
        (stmf.Form([]), [bytes([each]) * 32 for each in range(65)], "recipients_invalid"),
        (stmf.Form([]), b"short", "public_key_invalid"),
        (stmf.Form([]), bytes(32), "public_key_invalid"),
        (stmf.Form([]), b"\xff" * 32, "public_key_invalid"),
        (stmf.Form([stmf.Field("x" * 4_097, "")]), KEY.public_key, "form_invalid"),
        (stmf.Form([stmf.Field("a", "b")] * 10_001), KEY.public_key, "form_invalid"),
        (stmf.Form([], {"__proto__": "a"}), KEY.public_key, "form_invalid"),
        (stmf.Form([stmf.Field("a", "x" * 36 * 1_048_576)]), KEY.public_key, "container_too_large"),
    ],
    ids=["none", "65", "short", "low order", "not canonical", "label", "fields", "meta", "size"],
)
def test_py50_what_can_not_be_sealed_says_why(form: stmf.Form, recipients: Any, code: str) -> None:
    with pytest.raises(stmf.StmfError) as raised:
        stmf.encrypt(form, recipients)
    assert raised.value.code == code


def test_py50_another_key_does_not_open_and_no_key_is_shown() -> None:
    other = stmf.generate_key_pair()
    for container in CONTAINERS:
        with pytest.raises(stmf.StmfError) as raised:
            stmf.decrypt(container, other.private_key)
        assert raised.value.code == "container_sealed_otherwise"
    assert other.private_key.hex() not in repr(other)


def test_py50_files_and_half_surrogate_pairs() -> None:
    content = bytes(range(256)) * 100
    form = stmf.Form([stmf.file_field("f", content, "a.bin"), stmf.text_field("t", "a\ud800b")])
    opened = stmf.decrypt(stmf.encrypt_base64(form, KEY.public_key), KEY.private_key)
    assert stmf.file_content(opened.fields[0]) == content
    assert stmf.file_content(opened.fields[1]) is None
    assert stmf.values_of(opened, "t") == ["a\ufffdb"]


def test_py50_a_pointer_leads_to_its_form() -> None:
    pointer = stmf.new_pointer("b1")

    async def get(blob_id: str) -> bytes | None:
        return CONTAINERS[0] if blob_id == "b1" else None

    opened = asyncio.run(stmf.resolve(pointer, KEY.private_key, get))
    assert stmf.value_of(opened, "a") == "b"
    with pytest.raises(stmf.StmfError) as raised:
        asyncio.run(stmf.resolve(stmf.new_pointer("b2"), KEY.private_key, get))
    assert raised.value.code == "blob_missing"


def test_py51_the_sdk_for_typescript_opens_what_this_one_seals_and_the_other_way_round() -> None:
    pairs = [stmf.generate_key_pair() for _ in range(3)]
    publics = [to_base64(pair.public_key) for pair in pairs]
    form = stmf.Form(
        [stmf.text_field("ä", "\U0001f600"), stmf.file_field("f", b"\0\1", "n")], {"k": "v"}
    )
    given = {
        "one": stmf.encrypt_base64(form, pairs[0].public_key),
        "all": stmf.encrypt_base64(form, [pair.public_key for pair in pairs]),
        "privates": [to_base64(pair.private_key) for pair in pairs],
        "publics": publics,
    }
    script = """
        const { decrypt, encryptBase64 } = await import(process.argv[1]);
        const { one, all, privates, publics } = JSON.parse(process.argv[2]);
        const opened = [await decrypt(one, privates[0])];
        for (const key of privates) opened.push(await decrypt(all, key));
        const [form] = opened;
        const sealed = [await encryptBase64(form, publics[0]), await encryptBase64(form, publics)];
        console.log(JSON.stringify({ opened, sealed }));
    """
    module = (CHECKOUT / "src/stmf/index.ts").as_uri()
    command = [node(), "--input-type=module", "-e", script, module, json.dumps(given)]
    result = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert [form_of(each) for each in result["opened"]] == [form] * 4
    one, every = result["sealed"]
    assert stmf.decrypt(one, pairs[0].private_key) == form
    assert [stmf.decrypt(every, pair.private_key) for pair in pairs] == [form] * 3


def test_py51_a_large_result_is_sealed_and_opened() -> None:
    text = json.dumps("x" * 3 * 1_048_576).encode()
    assert open_result(seal_result(text, KEY.public_key), KEY.private_key) == text
