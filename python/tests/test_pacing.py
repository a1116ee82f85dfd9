"""When a peer sends, renews and comes back: pure parts with a clock of the tests."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster._base.backoff import backoff_pause, equal_jitter, full_jitter, quarter_jitter
from muster._base.token_bucket import TokenRate, full_bucket
from muster._connection.answer_queue import AnswerQueue
from muster._connection.answer_window import ANSWER_WINDOW_FRAMES, AnswerWindow
from muster._connection.end import Dismissed, Dropped, Refused, end_of_close
from muster._connection.hello import hello_bytes
from muster._connection.outgoing import Outgoing
from muster._connection.profile import DialOptions, HeldTask, PeerProfile
from muster._connection.send_pacer import SendPacer
from muster._crypto.identity import generate_identity
from muster._handlers.handlers import handlers_of
from muster._peer.key_in_use import KeyInUse
from muster._peer.message_age import MessageAge
from muster._peer.probe import _gpu_labels, probe_capabilities
from muster._peer.profile_options import check_capabilities
from muster._peer.reconnect_backoff import (
    ReconnectBackoff,
    delay_after_disconnect,
    delay_after_failed_dial,
)
from muster._protocol.inbound_types import Reconnect
from muster._work.lease_renewal import bounded_progress
from muster._work.unconfirmed_results import Report, UnconfirmedResults, results_kept
from muster.errors import PeerError

CHANCE = st.floats(0, 1, exclude_max=True)


@given(st.integers(0, 5_000), CHANCE)
def test_py7_pauses_grow_to_their_limit(failures: int, chance: float) -> None:
    pause = backoff_pause(0.5, 30, failures)
    assert 0.5 <= pause <= 30
    assert pause <= backoff_pause(0.5, 30, failures + 1)
    assert 0 <= full_jitter(pause, chance) <= pause
    assert pause / 2 <= equal_jitter(pause, chance) <= pause
    assert 0.75 * pause <= quarter_jitter(pause, chance) <= 1.25 * pause


@given(st.integers(0, 10_000_000), st.floats(1e-6, 1e6), st.floats(0, 1e6), CHANCE)
def test_py7_no_position_delays_a_peer_for_longer_than_ten_minutes(
    slot: int, rate: float, since: float, chance: float
) -> None:
    position = Reconnect(slot, rate)
    assert 0 <= delay_after_disconnect(position, 3, chance) <= 600
    assert 0.5 <= delay_after_failed_dial(position, since, chance) <= 600


def test_py7_a_position_counts_after_a_session_and_a_restart_is_no_failure() -> None:
    backoff = ReconnectBackoff()
    backoff.set_position(Reconnect(20, 10))
    assert backoff.next_delay(100, 0, 0) == 2
    assert backoff.failures == 0
    assert backoff.next_delay(None, 10, 0) == 10
    backoff.update_position(None)
    assert backoff.next_delay(1, 20, 0, is_fault=False) == 2
    assert backoff.failures == 0
    for expected in (1, 2, 3):
        backoff.next_delay(1, 30, 0)
        assert backoff.failures == expected
    fresh = ReconnectBackoff()
    assert [fresh.next_delay(None, 0, 1) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_py4_another_process_with_the_key_makes_the_pauses_grow() -> None:
    key_in_use = KeyInUse()
    superseded = Refused(PeerError("superseded", "x"))
    refused = Dropped(4403, "key_in_use: other")
    assert key_in_use.pause_after(superseded, 5, 0.5) == 5
    assert key_in_use.pause_after(refused, None, 0.5) == 10
    assert key_in_use.pause_after(refused, None, 0.5, 300) == 300
    assert key_in_use.pause_after(refused, None, 0.5) == 40
    assert key_in_use.pause_after(superseded, 61, 0.5) is None
    assert key_in_use.pause_after(superseded, 5, 0.5) == 5
    assert key_in_use.pause_after(Dropped(1000, ""), 5, 0.5) is None


def test_py4_close_codes() -> None:
    assert end_of_close(1000, "drained: x") == Dismissed("drained: x")
    assert end_of_close(1000, "x") == Dropped(1000, "x")
    assert end_of_close(4403, "drained: x").reason.startswith("the mesh does not admit this peer")
    superseded = end_of_close(4409, "")
    assert isinstance(superseded, Refused)
    assert superseded.error.code == "superseded"


def test_py24_the_age_of_a_message_is_told_by_the_fastest_ones() -> None:
    now = 1_000.0
    age = MessageAge(lambda: now)
    assert age.arrived("1970-01-01T00:00:10.5Z") == 0
    now += 1
    assert age.arrived("1970-01-01T00:00:11.500000000Z") == pytest.approx(0)
    now += 10
    assert age.arrived("1970-01-01T00:00:12.5Z") == pytest.approx(9)
    assert age.arrived("1970-01-01T01:00:21.5+01:00") == pytest.approx(0)
    now += 1_000
    assert age.arrived("1970-01-01T00:00:30Z") == pytest.approx(991.5)
    for wrong in ("", "x", "1970-99-01T00:00:00Z", "9999-12-31T23:59:60Z"):
        assert age.arrived(wrong) == 0


@given(st.lists(st.floats(0, 3), max_size=50))
def test_py22_a_bucket_gives_no_more_than_its_rate(pauses: list[float]) -> None:
    rate = TokenRate(2, 1.0, 5)
    bucket = full_bucket(rate, 0.0)
    now = 0.0
    taken = 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now) + bucket.take(now)
    assert taken <= 5 + 2 * now + 1e-6


def answer(kind: str, task_id: str, **more: Any) -> Outgoing:
    return Outgoing(kind, {"task_id": task_id, "fence": 1, **more})


def test_py22_answers_go_in_the_order_of_their_haste() -> None:
    queue = AnswerQueue()
    for message in (
        answer("task_result", "a"),
        answer("task_progress", "b", n=1),
        answer("task_progress", "c"),
        answer("task_progress", "b", n=2),
        answer("task_accept", "c"),
        answer("task_refuse", "d"),
    ):
        queue.push(message)
    assert len(queue) == 4
    order = [queue.shift() for _ in range(4)]
    assert [each.type for each in order if each] == [
        "task_accept",
        "task_refuse",
        "task_progress",
        "task_result",
    ]
    assert queue.shift() is None


def test_py22_a_window_opens_with_the_pongs() -> None:
    window = AnswerWindow()
    for _ in range(ANSWER_WINDOW_FRAMES):
        assert window.is_open
        window.answer_sent(100)
    assert not window.is_open
    assert window.is_ping_due
    window.ping_sent("a")
    assert not window.is_ping_due
    assert not window.pong_received("b")
    assert window.pong_received("a")
    assert window.is_open
    large = AnswerWindow()
    for _ in range(14):
        large.answer_sent(270_000)
    assert not large.is_open


async def test_py22_unasked_messages_keep_to_the_rate_of_the_mesh() -> None:
    now = 0.0
    sent: list[Outgoing] = []

    def emit(message: Outgoing) -> int:
        sent.append(message)
        return 100

    pacer = SendPacer(emit, lambda: now)
    for _ in range(200):
        assert pacer.send(Outgoing("announce", {}))
    assert len(sent) == 90
    for number in range(300):
        pacer.offer_received({"task_id": number, "fence": 1})
        assert pacer.send(answer("task_accept", str(number)))
    assert len([each for each in sent if each.type == "task_accept"]) == 300, "answers are free"
    assert not any(each.type == "ping" for each in sent), "a ping costs allowance"
    now = 10.0
    assert pacer.send(Outgoing("announce", {}))
    assert len([each for each in sent if each.type == "announce"]) > 100
    pacer.stop()
    assert not pacer.send(Outgoing("announce", {}))
    await asyncio.sleep(0)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=200), st.integers(1, 4))
def test_py19_no_more_results_are_kept_than_the_peer_has_room_for(
    steps: list[tuple[int, bool]], most: int
) -> None:
    results = UnconfirmedResults()
    kept: set[int] = set()
    for number, (task, is_sent) in enumerate(steps):

        def send(_: Any, on_sent: Any, sent: bool = is_sent, at: int = number) -> str:
            if sent:
                on_sent()
            return str(at)

        report = Report({"task_id": str(task), "fence": number + 1, "ok": True}, "k")
        dropped = results.send(report, send, most)
        kept -= {int(each.message["fence"]) for each in dropped}
        kept.add(number + 1)
        assert len(results) == len(kept) <= most
    assert {int(each.message["fence"]) for each in results.clear()} == kept
    assert results_kept(4) == 64
    assert results_kept(256) == 512


@given(st.lists(st.tuples(st.uuids(), st.integers(1, 2**53 - 1)), max_size=200))
def test_py1_a_hello_always_fits(held: list[tuple[Any, int]]) -> None:
    labels = tuple(f"label{number}=" + "x" * 50 for number in range(32))
    kinds = tuple(f"kind{number}/" + "x" * 40 for number in range(64))
    profile = PeerProfile(generate_identity(), "n" * 64, "dual", labels, kinds, 256, prefetch=True)
    tasks = tuple(HeldTask(str(task), fence) for task, fence in held)
    hello = hello_bytes(DialOptions("http://h", profile, None, "mjk_" + "0" * 60, tasks, 0.0))
    assert len(hello) + 32 + 32 <= 8_192


@given(st.floats() | st.none(), st.text() | st.none())
def test_py18_progress_is_kept_within_the_limits(fraction: float | None, text: str | None) -> None:
    progress = bounded_progress(fraction, text)
    assert 0 <= progress.get("progress", 0) <= 1
    assert len(progress.get("message", "")) <= 500
    assert ("progress" in progress) == (fraction is not None and math.isfinite(fraction))


def test_py27_labels_of_a_machine_are_valid_and_gpus_are_listed() -> None:
    check_capabilities(probe_capabilities())
    listed = "NVIDIA A100-SXM4-80GB, 81920\nNVIDIA A100-SXM4-40GB, 40960\n[N/A], x\n"
    assert _gpu_labels(listed) == [
        "gpu=nvidia",
        "gpus=2",
        "gpu_memory_gib=40",
        "gpu_model=A100-SXM4-80GB",
    ]
    check_capabilities(_gpu_labels("Weird (R) GPU™ 9000, Super; 1, 1234\n"))
    assert _gpu_labels("Failed to initialize NVML: Driver/library version mismatch\n") == []


def test_py13_the_handlers_of_a_module_are_found() -> None:
    import process_tasks  # noqa: PLC0415

    specs = handlers_of(process_tasks)
    kinds = {"hold", "describe", "crash", "leave", "raise", "wait", "deaf", "children", "program"}
    assert set(specs) == kinds
    assert {spec.run_in for spec in specs.values()} == {"process"}
    assert specs["describe"].takes_context
    assert not specs["crash"].takes_context
