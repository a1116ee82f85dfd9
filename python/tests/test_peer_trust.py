"""Which mesh a peer trusts, and how it proves itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fake_mesh import fake_mesh
from muster import (
    OptionsError,
    PeerError,
    generate_identity,
    identity_from,
)
from peers import peer_of

if TYPE_CHECKING:
    from pathlib import Path


async def test_py1_a_peer_proves_its_key_and_says_what_it_is() -> None:
    keys = generate_identity()
    async with fake_mesh() as mesh:
        peer = peer_of(
            mesh,
            private_key=keys.private_key.hex(),
            name="worker 1",
            capabilities=["gpu", "memory_gib=16"],
            slots=3,
            prefetch=False,
        )
        async with peer:
            joined = await peer.ready()
            session = await mesh.session()
            assert session.peer_key == keys.public_key
            assert session.hello == {
                "name": "worker 1",
                "role": "worker",
                "capabilities": ["gpu", "memory_gib=16"],
                "kinds": ["echo"],
                "slots": 3,
                "prefetch": False,
                "client": "muster-python/1",
                "held": [],
            }
            assert (joined.name, joined.public_key) == ("fake", mesh.keys.public_key.hex())
            assert (peer.id, peer.public_key) == (keys.id, keys.public_key.hex())
            assert repr(peer) == f"Peer({keys.id}, active)"
        assert repr(peer) == f"Peer({keys.id}, closed)"
        await session.closed()
        assert session.of_type("disconnect") == [{"reason": "the peer leaves", "code": 1000}]


async def test_py1_a_server_with_another_key_than_the_pinned_one_gets_no_hello() -> None:
    async with fake_mesh() as mesh:
        other = generate_identity().public_key.hex()
        peer = peer_of(mesh, mesh_key=other)
        with pytest.raises(PeerError) as refused:
            await peer.ready()
        assert refused.value.code == "mesh_unproved"
        assert mesh.sessions == []
        with pytest.raises(PeerError):
            await peer.closed()


async def test_py1_a_server_that_claims_a_key_that_it_does_not_have_is_refused() -> None:
    async with fake_mesh(claimed_key=generate_identity().public_key.hex()) as mesh:
        with pytest.raises(PeerError) as refused:
            await peer_of(mesh).ready()
        assert refused.value.code == "mesh_unproved"


@pytest.mark.parametrize(
    "change",
    [
        lambda message: message[:-1] + bytes([message[-1] ^ 1]),
        lambda message: message[:40],
        lambda _: b"",
        lambda message: message + b"x",
    ],
)
async def test_py1_an_altered_handshake_message_is_refused(change: Any) -> None:
    async with fake_mesh(message2=change) as mesh:
        with pytest.raises(PeerError) as refused:
            await peer_of(mesh).ready()
        assert refused.value.code == "mesh_unproved"


async def test_py2_the_key_of_the_first_connection_is_kept_and_expected_from_then_on(
    tmp_path: Path,
) -> None:
    pins = tmp_path / "settings" / "known-meshes.json"
    async with fake_mesh() as mesh:
        async with peer_of(mesh, pin_file=pins) as peer:
            await peer.ready()
        origin = mesh.url
        key = mesh.keys.public_key.hex()
        assert json.loads(pins.read_text()) == {origin: {"key": key, "next": None}}
        mesh.claimed_key = generate_identity().public_key.hex()
        async with peer_of(mesh, pin_file=pins) as peer:
            await peer.ready()
        pins.write_text(json.dumps({origin: {"key": mesh.claimed_key, "next": None}}))
        with pytest.raises(PeerError) as refused:
            await peer_of(mesh, pin_file=pins).ready()
        assert refused.value.code == "mesh_unproved"


async def test_py2_a_pin_that_another_process_made_meanwhile_ends_the_peer(tmp_path: Path) -> None:
    pins = tmp_path / "known-meshes.json"
    async with fake_mesh(welcomes=False) as mesh:
        peer = peer_of(mesh, pin_file=pins)
        async with peer:
            session = await mesh.session()
            other = generate_identity().public_key.hex()
            pins.write_text(json.dumps({mesh.url: {"key": other, "next": None}}))
            await session.welcome()
            with pytest.raises(PeerError) as refused:
                await peer.ready()
            assert refused.value.code == "mesh_key_mismatch"
            assert json.loads(pins.read_text())[mesh.url]["key"] == other


async def test_py3_a_key_file_is_created_for_its_owner_only_and_used_again(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "peer.json"
    async with fake_mesh() as mesh:
        first = peer_of(mesh, key_file=path)
        assert path.stat().st_mode & 0o777 == 0o600
        stored = json.loads(path.read_text())
        assert identity_from(stored["private_key"]).id == stored["id"] == first.id
        assert peer_of(mesh, key_file=path).id == first.id
        path.chmod(0o644)
        with pytest.warns(UserWarning, match="chmod 600"):
            peer_of(mesh, key_file=path)
        path.write_text("{}")
        path.chmod(0o600)
        with pytest.raises(OptionsError, match="not a key file"):
            peer_of(mesh, key_file=path)
