"""A reader of discovery, and servers that hide or change something."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

import muster
from fake_replica import EPOCH, Publisher, Replica
from muster._crypto.identity import generate_identity
from servers import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from muster._answers.discovery import DiscoveryKeys

PEERS = [generate_identity() for _ in range(5)]


def published(count: int = 5) -> Publisher:
    """A mesh with peers."""
    publisher = Publisher()
    for peer in PEERS[:count]:
        publisher.publish(peer)
    return publisher


@contextlib.asynccontextmanager
async def reading(*replicas: Replica, **options: Any) -> AsyncIterator[muster.DiscoveryReader]:
    """A reader of these replicas."""
    async with contextlib.AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serving(each)) for each in replicas]
        keys = options.pop("keys", replicas[0].publisher.keys)
        urls = [server.url for server in servers]
        reader = muster.DiscoveryReader(urls, keys, **options)
        yield await stack.enter_async_context(reader)


async def test_py72_finds_every_peer_page_by_page() -> None:
    async with reading(Replica(published())) as reader:
        result = await reader.peers()
        assert result.degraded is None
        assert {peer.id for peer in result.peers} == {peer.id for peer in PEERS}
        for peer in PEERS:
            found = await reader.find(peer.id)
            assert found is not None
            assert (found.id, found.ping_ms, found.capabilities) == (peer.id, 1.5, ("gpu",))
        assert await reader.find("0" * 32) is None


async def test_py72_the_opened_record_decides_whether_a_peer_matches() -> None:
    publisher = Publisher()
    publisher.publish(PEERS[0], role="dual", kinds="resize", score="0.9", region="weur")
    publisher.publish(PEERS[1], capabilities="")
    async with reading(Replica(publisher)) as reader:
        for options, expected in (
            ({"role": "dual"}, [PEERS[0]]),
            ({"capability": "gpu"}, [PEERS[0]]),
            ({"kind": "resize"}, [PEERS[0], PEERS[1]]),
            ({"kind": "other"}, [PEERS[1]]),
            ({"min_score": 0.8}, [PEERS[0]]),
            ({"region": "weur"}, [PEERS[0]]),
            ({"region": "oc"}, []),
        ):
            given: Any = options
            found = {peer.id for peer in (await reader.peers(**given)).peers}
            assert found == {peer.id for peer in expected}, options


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"forged": True}, "statement_forged"),
        ({"age": 3_700.0}, "directory_old"),
        ({"is_down": True}, "invalid_response"),
    ],
)
async def test_py72_a_source_that_can_not_be_believed_is_passed_over(
    fault: dict[str, Any], code: str
) -> None:
    publisher = published()
    bad: Any = dataclasses.replace(Replica(publisher), **fault)
    async with reading(bad, Replica(publisher)) as reader:
        assert len((await reader.peers()).peers) == 5
        assert await reader.find(PEERS[0].id) is not None
    async with reading(bad) as alone:
        with pytest.raises(muster.MusterError) as raised:
            await alone.peers()
        assert raised.value.code == code


async def test_py72_another_source_is_asked_for_what_one_withholds() -> None:
    publisher = published()
    hiding = Replica(publisher, withheld=set(list(publisher.pointers)[:2]))
    async with reading(hiding, Replica(publisher)) as reader:
        result = await reader.peers()
        assert (len(result.peers), result.degraded) == (5, None)
    async with reading(hiding) as alone:
        result = await alone.peers()
        assert len(result.peers) == 3
        assert result.degraded is not None
        assert result.degraded.missing == 2
        assert [each.code for each in result.degraded.failures] == ["list_incomplete"]
        assert "2 published peers can't be read" in muster.degraded_text(result.degraded)
        with pytest.raises(muster.DiscoveryIncomplete) as raised:
            async for _ in alone.discover():
                pass
        assert len(raised.value.peers) == 3


async def test_py72_lost_records_are_reported() -> None:
    ignored: list[str] = []
    async with reading(Replica(published(), lost_blobs=True)) as reader:
        result = await reader.peers(on_ignored=lambda pointer, _: ignored.append(pointer.id))
    assert result.peers == ()
    assert result.degraded is not None
    assert result.degraded.missing == 5
    assert [each.code for each in result.degraded.failures] == ["blob_missing"]
    assert len(set(ignored)) == 5


async def test_py72_nothing_older_than_what_was_read_is_accepted() -> None:
    publisher = published(2)
    old = Publisher()
    old.__dict__.update({**publisher.__dict__, "pointers": dict(publisher.pointers)})
    publisher.publish(PEERS[0], score="0.75")
    new_replica = Replica(publisher)
    async with reading(new_replica, Replica(old)) as reader:
        found = await reader.find(PEERS[0].id)
        assert found is not None
        assert found.score == 0.75
        await reader.peers()
        new_replica.is_down = True
        with pytest.raises(muster.MusterError) as raised:
            await reader.peers()
        assert "was seen before" in str(raised.value)
        with pytest.raises(muster.MusterError):
            await reader.find(PEERS[0].id)


async def test_py72_the_pointer_of_another_peer_is_no_answer() -> None:
    publisher = published(2)
    false = Replica(publisher, swapped=True)
    async with reading(false) as reader:
        with pytest.raises(muster.DiscoveryError) as raised:
            await reader.find(PEERS[0].id)
        assert raised.value.code == "identity_mismatch"
    async with reading(false, Replica(publisher)) as reader:
        found = await reader.find(PEERS[0].id)
        assert found is not None
        assert found.id == PEERS[0].id


async def test_py72_changes_are_followed() -> None:
    publisher = published(2)
    replica = Replica(publisher)
    async with reading(replica) as reader:
        changes = reader.discover(follow=True, interval=0.05)
        found = {(await anext(changes)).type for _ in range(2)}
        assert found == {"found"}
        publisher.publish(PEERS[2])
        third = await anext(changes)
        assert isinstance(third, muster.PeerFound)
        assert third.peer.id == PEERS[2].id
        publisher.remove(next(iter(publisher.pointers)))
        gone = await anext(changes)
        assert isinstance(gone, muster.PeerGone)
        assert gone.id == PEERS[0].id
        replica.is_down = True
        degraded = await anext(changes)
        assert isinstance(degraded, muster.DiscoveryDegraded)
        assert degraded.missing is None
        replica.is_down = False
        assert (await anext(changes)).type == "recovered"
        await changes.aclose()


async def test_py72_a_search_that_follows_gives_up_after_its_patience() -> None:
    replica = Replica(published(1))
    async with reading(replica) as reader:
        changes = reader.discover(follow=True, interval=0.02, patience=0.2)
        await anext(changes)
        replica.is_down = True
        with pytest.raises(muster.MusterError):
            async for _ in changes:
                pass


async def test_py72_keys_are_loaded_again_for_a_new_epoch_and_their_mesh_never_changes() -> None:
    publisher = published(1)
    without = dataclasses.replace(publisher.keys, epochs=())
    loaded = [without]

    async def keys() -> DiscoveryKeys:
        return loaded[0] if len(loaded) == 1 else loaded.pop(0)

    async with reading(Replica(publisher), keys=keys) as reader:
        loaded.append(publisher.keys)
        found = await reader.find(PEERS[0].id)
        assert found is not None
    loaded[:] = [without, Publisher().keys]
    async with reading(Replica(publisher), keys=keys) as reader:
        with pytest.raises(muster.DiscoveryError) as raised:
            await reader.find(PEERS[0].id)
        assert raised.value.code == "signing_key_changed"


async def test_py72_a_pointer_resolves_with_a_key_of_its_epoch() -> None:
    publisher = published(1)
    keys = publisher.keys
    async with reading(Replica(publisher)) as reader:
        [statement] = publisher.pointers.values()
        pointer = muster.PointerView(**statement)
        assert (await reader.resolve(pointer)).id == PEERS[0].id
        assert (await reader.resolve(pointer, keys.epochs[0].private_key)).id == PEERS[0].id
        other = muster.PointerView(**publisher.sign("pointer", {**_body(statement), "epoch": 8}))
        with pytest.raises(muster.DiscoveryError) as raised:
            await reader.resolve(other)
        assert raised.value.code == "epoch_unknown"
        body = {**_body(statement), "expires_at": "2026-01-01T00:00:00.000Z"}
        with pytest.raises(muster.DiscoveryError) as expired:
            await reader.resolve(muster.PointerView(**publisher.sign("pointer", body)))
        assert expired.value.code == "pointer_expired"
    assert statement["epoch"] == EPOCH


def _body(statement: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in statement.items() if name != "signature"}


@pytest.mark.parametrize(
    "arguments", [{"url": []}, {"url": "x"}, {"keys": {}}, {"max_age": 0}, {"max_age": "1"}]
)
def test_py41_a_reader_that_can_not_work_is_refused(arguments: dict[str, Any]) -> None:
    given: Any = {"url": "http://127.0.0.1:9", "keys": Publisher().keys, **arguments}
    with pytest.raises(muster.OptionsError):
        muster.DiscoveryReader(**given)
