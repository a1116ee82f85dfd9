"""The vectors of docs/vectors that are about peers: other implementations check them, too."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from muster._connection.open_socket import connect_url_of
from muster._connection.profile import DialOptions, PeerProfile
from muster._crypto.identity import agree, is_canonical_key, key_pair_of, peer_id_of
from muster._crypto.key_proofs import make_connect_proof, make_rotation_proof, verify_mesh_proof
from muster._crypto.noise import NoiseError, NoiseHandshake
from muster._crypto.result_tickets import (
    content_of,
    download_ticket,
    read_result_secret,
    upload_ticket,
)
from muster._crypto.sealed_stream import SealedStreamError, open_stream, seal_stream
from muster._crypto.transport import Opener, Sealer
from vectors import vectors


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.mark.parametrize("vector", vectors("peer-ids"), ids=lambda each: each["name"])
def test_py1_ids_of_public_keys(vector: Any) -> None:
    public_key = unhex(vector["public_key"])
    assert peer_id_of(public_key) == vector["peer_id"]
    own = b"\x01" * 32
    is_usable = is_canonical_key(public_key) and agree(own, public_key) is not None
    assert is_usable is vector["accepted"]
    if "private_key" in vector:
        assert key_pair_of(unhex(vector["private_key"])).id == vector["peer_id"]


def test_py1_the_url_by_which_a_peer_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    vector = vectors("connect-proof")
    keys = key_pair_of(unhex(vector["peer_private_key"]))
    profile = PeerProfile(keys, "", "worker", (), (), 1, prefetch=True)
    for connect in vector["connects"]:
        base = connect["url"].split("/v1/connect")[0]
        options = DialOptions(base, profile, None, None, (), 0.0)
        monkeypatch.setattr("time.time", lambda: connect["t"] + 0.9)  # noqa: B023
        assert connect_url_of(options, vector["mesh_public_key"]) == connect["url"]
        for refused in connect["refused"]:
            host, at = refused["host"], refused["t"]
            mesh_key = unhex(vector["mesh_public_key"])
            assert make_connect_proof(keys.private_key, mesh_key, host, at) != refused["proof"]


def test_py6_the_proof_of_a_mesh() -> None:
    vector = vectors("mesh-proof")
    keys = unhex(vector["challenge_private_key"]), unhex(vector["mesh_public_key"])
    challenge = vector["challenge"]
    answer = vector["answer"]
    for stated, is_right in [(answer, True), *((each, False) for each in vector["refused"])]:
        said = {**answer, **stated}
        proof = said["signing_key"], said["time"], said["proof"]
        asked = unhex(said["challenge_private_key"]) if "challenge_private_key" in said else keys[0]
        shown = said.get("challenge", challenge)
        assert verify_mesh_proof(asked, keys[1], shown, *proof) is is_right, said.get("why")


def test_py8_the_proof_of_a_new_key() -> None:
    vector = vectors("key-rotation")
    keys = unhex(vector["new_private_key"]), unhex(vector["mesh_public_key"])
    payload = vector["payload"]
    made = make_rotation_proof(*keys, vector["old_peer_id"], payload["public_key"])
    assert made == payload["proof"]
    for refused in vector["refused"]:
        other = make_rotation_proof(*keys, refused["old_peer_id"], refused["public_key"])
        assert other != refused["proof"]


def handshake(vector: Any) -> tuple[NoiseHandshake, NoiseHandshake]:
    prologue = vector["prologue_text"].encode()
    peer = NoiseHandshake(
        key_pair_of(unhex(vector["peer_static_private_key"])),
        prologue,
        ephemeral_key=unhex(vector["peer_ephemeral_private_key"]),
    )
    mesh = NoiseHandshake(
        key_pair_of(unhex(vector["mesh_static_private_key"])),
        prologue,
        initiator=False,
        ephemeral_key=unhex(vector["mesh_ephemeral_private_key"]),
    )
    return peer, mesh


def test_py1_the_three_messages_of_the_handshake() -> None:
    vector = vectors("noise-handshake")
    sender, receiver = handshake(vector)
    for message in vector["messages"]:
        payload = unhex(message["payload"])
        written = sender.write(payload)
        assert written.hex() == message["bytes"]
        assert receiver.read(written) == payload
        for side in (sender, receiver):
            assert side._hash.hex() == message["hash"]
            assert side._chaining_key.hex() == message["chaining_key"]
        sender, receiver = receiver, sender
    mesh, peer = sender, receiver
    assert peer.split().send.hex() == mesh.split().receive.hex() == vector["peer_to_mesh_key"]
    assert peer.split().receive.hex() == mesh.split().send.hex() == vector["mesh_to_peer_key"]
    assert peer.split().handshake_hash.hex() == vector["handshake_hash"]
    assert peer.remote_static == unhex(vector["mesh_static_public_key"])


@pytest.mark.parametrize(
    "refused", vectors("noise-handshake")["refused"], ids=lambda each: each["why"]
)
def test_py1_handshake_messages_that_are_refused(refused: Any) -> None:
    vector = vectors("noise-handshake")
    sender, receiver = handshake(vector)
    for message in vector["messages"][: refused["message"] - 1]:
        receiver.read(sender.write(unhex(message["payload"])))
        sender, receiver = receiver, sender

    def answer() -> None:
        receiver.read(unhex(refused["bytes"]))
        receiver.write()  # a key of low order in the first message shows when it is used

    with pytest.raises(NoiseError):
        answer()


@pytest.mark.parametrize("vector", vectors("frames"), ids=lambda each: each["direction"])
def test_py5_frames(vector: Any) -> None:
    key = unhex(vector["key"])
    for frame in vector["frames"]:
        sealer, opener = Sealer(key), Opener(key)
        sealer._counter = opener._counter = frame["counter"]
        plain = frame["plain_text"].encode()
        assert sealer.seal(plain).hex() == frame["frame"]
        assert opener.open(unhex(frame["frame"])) == plain
    largest = vector["largest"]
    sealed = Sealer(key).seal(b"a" * largest["plain_bytes"])
    assert len(sealed) == largest["frame_bytes"]
    assert hashlib.sha256(sealed).hexdigest() == largest["frame_sha256"]
    for refused in vector["refused"]:
        opener = Opener(key)
        opener._counter = refused["counter"]
        assert opener.open(unhex(refused["frame"])) is None, refused["why"]


def bytes_of(vector: Any, name: str) -> bytes:
    pattern = vector.get(f"{name}_pattern_bytes")
    if pattern is None:
        return unhex(vector[name])
    return bytes(index % 251 for index in range(pattern))


def test_py25_the_tickets_of_large_results() -> None:
    vector = vectors("result-tickets")
    secret = read_result_secret(vector["secret_text"])
    assert secret is not None
    assert (secret.peer_id, secret.secret.hex()) == (vector["peer_id"], vector["secret"])
    for upload in vector["uploads"]:
        content = content_of(bytes_of(upload, "result"))
        expected = upload["content"]
        assert (content.bytes, content.sha256) == (expected["bytes"], expected["sha256"])
        assert upload_ticket(secret, content) == upload["ticket"]
    assert download_ticket(secret) == vector["download"]["ticket"]
    for refused in vector["refused_secrets"]:
        assert read_result_secret(refused["secret_text"]) is None, refused["why"]


def test_py25_the_sealed_bytes_of_large_results() -> None:
    vector = vectors("sealed-streams")
    secret, salt = unhex(vector["secret"]), unhex(vector["salt"])
    for stream in vector["streams"]:
        plain = bytes_of(stream, "plain")
        sealed = seal_stream(plain, secret, stream["purpose"], salt)
        assert len(sealed) == stream["sealed_bytes"]
        assert hashlib.sha256(sealed).hexdigest() == stream["sealed_sha256"]
        assert open_stream(sealed, secret, stream["purpose"]) == plain
    for refused in vector["refused"]:
        with pytest.raises(SealedStreamError):
            open_stream(bytes_of(refused, "sealed"), secret, refused["purpose"])
