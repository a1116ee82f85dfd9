from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster._crypto.hashes import hkdf_sha256
from muster._crypto.identity import (
    KeyPair,
    agree,
    generate_identity,
    identity_from,
    is_canonical_key,
    key_pair_of,
)
from muster._crypto.key_proofs import make_connect_proof, make_rotation_proof
from muster._crypto.noise import NoiseError, NoiseHandshake
from muster._crypto.result_tickets import (
    content_of,
    download_ticket,
    read_result_secret,
    upload_ticket,
)
from muster._crypto.sealed_stream import SealedStreamError, open_stream, seal_stream
from muster._crypto.transport import Opener, Sealer
from muster.errors import OptionsError

KEYS = st.binary(min_size=32, max_size=32)
PROLOGUE = b"muster/2"


def handshake(own: KeyPair, mesh: KeyPair, hello: bytes) -> tuple[NoiseHandshake, NoiseHandshake]:
    peer = NoiseHandshake(own, PROLOGUE)
    server = NoiseHandshake(mesh, PROLOGUE, initiator=False)
    server.read(peer.write())
    peer.read(server.write())
    assert server.read(peer.write(hello)) == hello
    return peer, server


@given(KEYS, KEYS, st.binary(max_size=200))
def test_both_sides_of_a_handshake_agree(own: bytes, mesh: bytes, hello: bytes) -> None:
    peer, server = handshake(key_pair_of(own), key_pair_of(mesh), hello)
    assert peer.remote_static == key_pair_of(mesh).public_key
    assert server.remote_static == key_pair_of(own).public_key
    ours, theirs = peer.split(), server.split()
    assert (ours.send, ours.receive) == (theirs.receive, theirs.send)
    assert ours.handshake_hash == theirs.handshake_hash


@given(st.integers(0, 10_000), st.integers(1, 255), st.integers(0, 2))
def test_an_altered_handshake_message_is_refused(at: int, change: int, message: int) -> None:
    peer = NoiseHandshake(generate_identity(), PROLOGUE)
    server = NoiseHandshake(generate_identity(), PROLOGUE, initiator=False)
    sender, receiver = peer, server
    for turn in range(3):
        data = bytearray(sender.write(b"payload" if turn == message else b""))
        if turn == message:
            data[at % len(data)] ^= change
        try:
            receiver.read(bytes(data))
        except NoiseError:
            return
        sender, receiver = receiver, sender
    # The first message is not sealed: what was altered in it shows in the keys, which are other ones on each side.
    assert message == 0
    assert at % 39 >= 32


@pytest.mark.parametrize("length", [0, 31, 32, 47, 95])
def test_a_handshake_message_that_is_too_short_is_refused(length: int) -> None:
    peer = NoiseHandshake(generate_identity(), PROLOGUE)
    peer.write()
    with pytest.raises(NoiseError):
        peer.read(bytes(length))


def test_a_message_out_of_turn_is_refused() -> None:
    peer = NoiseHandshake(generate_identity(), PROLOGUE)
    with pytest.raises(NoiseError):
        peer.read(bytes(96))
    peer.write()
    with pytest.raises(NoiseError):
        peer.write()
    with pytest.raises(NoiseError):
        peer.split()


@given(KEYS, st.lists(st.binary(max_size=100), min_size=1, max_size=5))
def test_frames_open_in_their_order_only(key: bytes, plain: list[bytes]) -> None:
    sealer, opener = Sealer(key), Opener(key)
    frames = [sealer.seal(each) for each in plain]
    assert [opener.open(frame) for frame in frames] == plain
    assert opener.open(frames[0]) is None
    assert Opener(key).open(frames[-1][:-1]) is None
    assert Opener(key).open(b"") is None


def test_the_largest_frame_is_sealed_and_opened() -> None:
    plain = bytes(1_048_560)
    frame = Sealer(bytes(32)).seal(plain)
    assert len(frame) == 1_048_576
    assert Opener(bytes(32)).open(frame) == plain


@given(KEYS, st.integers(0, 3), st.integers(-1, 1), st.binary(min_size=1, max_size=30))
def test_a_sealed_stream_opens_whole_or_not_at_all(
    secret: bytes, chunks: int, more: int, part: bytes
) -> None:
    plain = (part * 300_000)[: max(0, chunks * 262_144 + more)]
    sealed = seal_stream(plain, secret, "upload")
    assert open_stream(sealed, secret, "upload") == plain
    for damaged in (sealed[:-1], sealed[:32], sealed + b"x", sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(SealedStreamError):
            open_stream(damaged, secret, "upload")
    with pytest.raises(SealedStreamError):
        open_stream(sealed, secret, "read")


def test_hkdf_gives_the_bytes_of_rfc_5869() -> None:
    derived = hkdf_sha256(b"\x0b" * 22, bytes(range(0xF0, 0xFA)), 42, bytes(range(13)))
    expected = (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )
    assert derived.hex() == expected


@pytest.mark.parametrize("key", [bytes(32), bytes([1]) + bytes(31), b"", bytes(31)])
def test_a_key_that_is_not_usable_proves_nothing(key: bytes) -> None:
    own = generate_identity().private_key
    assert agree(own, key) is None
    assert make_connect_proof(own, key, "mesh.example", 1) is None
    assert make_rotation_proof(own, key, "00", "00") is None


def test_a_key_encoding_that_is_not_canonical_is_told() -> None:
    assert is_canonical_key(generate_identity().public_key)
    assert not is_canonical_key(b"\xff" * 32)
    assert not is_canonical_key(b"\xed" + b"\xff" * 30 + b"\x7f")
    assert not is_canonical_key(bytes(31))


@pytest.mark.parametrize("key", ["", "00", "zz" * 32, "0" * 63, bytes(31), bytes(33), 7, None])
def test_a_private_key_that_is_not_valid_is_refused_without_its_text(key: object) -> None:
    with pytest.raises(OptionsError) as found:
        identity_from(key)  # type: ignore[arg-type]
    assert str(found.value) == "a private key must be 32 bytes, or 64 hex characters"


def test_a_private_key_is_not_shown() -> None:
    keys = generate_identity()
    assert keys.private_key.hex() not in repr(keys)
    assert repr(keys.private_key) not in repr(keys)
    assert identity_from(keys.private_key.hex()) == identity_from(keys) == keys


def test_the_secret_of_a_result_is_read_in_one_form_only() -> None:
    text = f"{'0a' * 16}.{'0b' * 32}"
    secret = read_result_secret(text)
    assert secret is not None
    assert (secret.peer_id, secret.secret) == ("0a" * 16, b"\x0b" * 32)
    assert "0b0b" not in repr(secret)
    for other in ("", text[:-1], f"{text}.", f"{text}\n", text.replace(".", ""), f"{'0A' * 16}.00"):
        assert read_result_secret(other) is None
    assert upload_ticket(secret, content_of(b"ab")).startswith(f"{'0a' * 16}.2.+44g/C5M")
    assert download_ticket(secret).startswith(f"{'0a' * 16}.")
