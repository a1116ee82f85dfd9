"""What a mesh signs, and the proof of its key."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshes import node
from muster._answers.discovery import PeerRecord, PointerView
from muster._answers.read import read
from muster._crypto.identity import peer_id_of
from muster._crypto.key_proofs import verify_mesh_proof
from muster._discovery.epochs import pointer_id_of, reader_token
from muster._discovery.errors import DiscoveryError
from muster._discovery.peer_records import open_resolved
from muster._discovery.statements import Verifier
from muster._json.canonical import canonical_json
from vectors import vectors

DISCOVERY = vectors("discovery")
RESULTS = vectors("signed-results")
PROOF = vectors("mesh-proof")
VERIFIER = Verifier(bytes.fromhex(DISCOVERY["signing_public_key"]))
SECRET = bytes.fromhex(DISCOVERY["epoch_keys"]["pointer_secret"])


@pytest.mark.parametrize("case", DISCOVERY["canonical_json"], ids=lambda case: case["text"][:20])
def test_py70_canonical_json_is_that_of_the_vectors(case: Any) -> None:
    assert canonical_json(case["value"]) == case["text"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)  # fmt: skip


@given(st.lists(JSON, min_size=1, max_size=40))
def test_py70_canonical_json_reads_back_as_the_same_value(values: list[Any]) -> None:
    assert json.loads(canonical_json(values), parse_int=float) == values


def test_py70_canonical_numbers_are_those_of_javascript() -> None:
    tails = [1, 1.5, 123456789, 0.1, 9.999999999999999]
    numbers = [
        sign * tail * 10.0**power for sign in (1, -1) for tail in tails for power in range(-30, 31)
    ]
    numbers += [0.0, -0.0, 5e-324, 1.7976931348623157e308, 2.0**53, 1e21, 1e20, 1e-6, 1e-7]
    script = "console.log(JSON.stringify(JSON.parse(process.argv[1]).map(String)))"
    command = [node(), "-e", script, json.dumps(numbers)]
    output = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert [canonical_json(number) for number in numbers] == json.loads(output)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_py70_what_json_does_not_hold_has_no_canonical_form(value: Any) -> None:
    with pytest.raises(ValueError, match=r"JSON has no|no double"):
        canonical_json([value])


@pytest.mark.parametrize("case", DISCOVERY["statements"], ids=lambda case: case["kind"])
def test_py70_verifies_what_the_mesh_has_signed(case: Any) -> None:
    assert VERIFIER.signed(case["kind"], case["statement"])


@pytest.mark.parametrize("case", DISCOVERY["refused"], ids=lambda case: case["why"])
def test_py70_refuses_what_it_has_not_signed(case: Any) -> None:
    assert not VERIFIER.signed(case["kind"], case["statement"])


def test_py70_a_pointer_keeps_what_is_signed_when_it_is_read() -> None:
    pointers = [case for case in DISCOVERY["statements"] if case["kind"] == "pointer"]
    for case in pointers:
        pointer = read(PointerView, case["statement"])
        assert VERIFIER.signed("pointer", dataclasses.asdict(pointer))


def test_py70_pointer_ids_and_reader_tokens() -> None:
    for case in DISCOVERY["pointer_ids"]:
        assert pointer_id_of(SECRET, case["peer_id"]) == case["pointer_id"]
    assert reader_token(SECRET) == DISCOVERY["reader_token"]


def test_py70_a_record_opens_if_its_pointer_leads_to_it() -> None:
    statement = next(
        case["statement"] for case in DISCOVERY["statements"] if case["kind"] == "pointer"
    )
    pointer = read(PointerView, statement)
    blob = bytes.fromhex(DISCOVERY["record"]["blob"])
    private_key = bytes.fromhex(DISCOVERY["epoch_keys"]["private_key"])
    record = open_resolved(pointer, blob, private_key, SECRET)
    assert record == read(PeerRecord, DISCOVERY["record"]["record"])
    other = dataclasses.replace(pointer, id="0" * 32)
    for wrong, code in (
        ((other, blob, private_key, SECRET), "identity_mismatch"),
        ((pointer, None, private_key, SECRET), "blob_missing"),
        ((pointer, blob, bytes(31) + b"\1", SECRET), "container_sealed_otherwise"),
        ((pointer, blob[:-1], private_key, SECRET), "container_sealed_otherwise"),
    ):
        with pytest.raises(DiscoveryError) as raised:
            open_resolved(*wrong)
        assert raised.value.code == code


@pytest.mark.parametrize(
    "case", RESULTS["signed"], ids=lambda case: str(case["statement"]["sealed"])
)
def test_py71_verifies_signed_results(case: Any) -> None:
    verifier = Verifier(bytes.fromhex(RESULTS["signing_public_key"]))
    assert verifier.result(case["statement"], case["signature"])


@pytest.mark.parametrize("case", RESULTS["refused"], ids=lambda case: case["why"])
def test_py71_refuses_results_that_the_mesh_has_not_signed(case: Any) -> None:
    verifier = Verifier(bytes.fromhex(RESULTS["signing_public_key"]))
    assert not verifier.result(case["statement"], case["signature"])
    assert not verifier.result(case["statement"], "")
    assert not verifier.result(case["statement"], "zz")


def test_py71_the_proof_of_a_mesh_key() -> None:
    private_key = bytes.fromhex(PROOF["challenge_private_key"])
    mesh_key = bytes.fromhex(PROOF["mesh_public_key"])
    assert peer_id_of(mesh_key) == PROOF["mesh_id"]
    for case, is_right in ((PROOF["answer"], True), *((each, False) for each in PROOF["refused"])):
        stated = (case["signing_key"], case["time"], case["proof"])
        assert verify_mesh_proof(private_key, mesh_key, PROOF["challenge"], *stated) is is_right
