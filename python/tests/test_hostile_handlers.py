"""Handlers that do what no handler should: the attempt fails, and its slot is free again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import process_tasks
from fake_mesh import FakeMesh, Session, fake_mesh
from loops import until
from muster import Peer, TaskContext, connect_peer
from muster._handlers.context import TaskFacts
from muster._handlers.handlers import spec_of
from muster._handlers.loop_handlers import LoopExecution
from muster._handlers.process_entry import FunctionRef, ProcessCall, ProcessCancel
from muster._handlers.process_handlers import ProcessPool
from muster._handlers.thread_handlers import ThreadWorkers
from muster._work.outcome import Failed

if TYPE_CHECKING:
    from pathlib import Path


async def joined(mesh: FakeMesh, handlers: dict[str, Any], **options: Any) -> tuple[Peer, Session]:
    peer = connect_peer(
        mesh.url, handlers={**handlers, "echo": lambda payload: payload}, prefetch=False, **options
    )
    await peer.ready()
    return peer, await mesh.session()


async def works(session: Session) -> bool:
    """Whether the only slot is free: the mesh offers again what was refused."""
    offer = await session.offer("echo", "works")
    result = await session.result(offer)
    return bool(result["result"] == "works")


class _NoText(Exception):  # noqa: N818 - what it is
    def __str__(self) -> str:
        raise SystemExit(3)


class _Interrupt(KeyboardInterrupt):
    pass


class _NoClass:
    @property
    def __class__(self) -> Any:
        raise ValueError("no class")

    @__class__.setter
    def __class__(self, _: Any) -> None:
        """No class."""


def raises(error: BaseException) -> Any:
    def run(_: Any) -> None:
        raise error

    return run


HOSTILE = {
    "no-text": (raises(_NoText()), "_NoText", True),
    "exit": (raises(SystemExit(3)), "SystemExit: 3", True),
    "base": (raises(BaseException("base")), "BaseException: base", True),
    "generator": (raises(GeneratorExit()), "GeneratorExit", True),
    "no-class": (lambda _: _NoClass(), "ValueError: no class", True),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("runs_in", ["thread", "loop"])
async def test_py14_whatever_a_handler_raises_or_returns_its_slot_is_free_again(
    name: str, runs_in: str
) -> None:
    function, error, retry = HOSTILE[name]

    async def in_loop(payload: Any) -> Any:
        return function(payload)

    async with fake_mesh() as mesh:
        chosen = function if runs_in == "thread" else in_loop
        peer, session = await joined(mesh, {"hostile": chosen})
        async with peer:
            result = await session.result(await session.offer("hostile"))
            assert (result["error"], result["retry"]) == (error, retry)
            assert await works(session)


class _Settled:
    def __init__(self) -> None:
        self.settled_as: list[Any] = []

    def settled(self, settled: Any) -> None:
        self.settled_as.append(settled)


def test_py14_ctrl_c_ends_a_program_that_does_not_handle_it_and_the_attempt_has_failed() -> None:
    async def interrupted(_: Any) -> None:
        raise _Interrupt

    call: Any = _Settled()
    loop = asyncio.new_event_loop()
    context = TaskContext(facts("null"), lambda *_: None)
    execution = LoopExecution(loop, spec_of(interrupted), context, call)
    with pytest.raises(_Interrupt):
        loop.run_forever()
    assert call.settled_as == [Failed("_Interrupt", retry=True)]
    assert execution._task is not None
    assert isinstance(execution._task.exception(), _Interrupt)
    loop.close()


async def test_py14_an_attempt_whose_handler_can_not_be_called_has_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_thread(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {})
        async with peer:
            with monkeypatch.context() as patched:
                patched.setattr(ThreadWorkers, "submit", no_thread)
                result = await session.result(await session.offer("echo"))
            assert result["error"] == "RuntimeError: can't start new thread"
            assert result["retry"] is True
            assert await works(session)


async def test_py14_py18_py21_texts_are_as_long_as_the_mesh_takes_and_have_no_half_of_a_pair() -> (
    None
):
    long = "\ud800" + "\U0001f600" * 3_000

    def fail(_: Any, context: TaskContext) -> None:
        context.progress(0.5, long)
        raise ValueError(long)

    async with fake_mesh() as mesh:
        peer, session = await joined(
            mesh, {"fail": fail, "wait": lambda _, task: task.wait_cancelled()}
        )
        result = await session.result(await session.offer("fail"))
        assert result["error"] == f"ValueError: ?{long[1:1_988]}"
        waiting = await session.offer("wait")
        await session.message("task_accept", task_id=waiting["task_id"])
        await peer.close(long)
        await session.closed()
        for kind in ("drain", "task_release", "disconnect"):
            (message,) = session.of_type(kind)
            assert message["reason"] == f"?{long[1:500]}"
        texts = [each["message"] for each in session.of_type("task_progress") if "message" in each]
        assert set(texts) == {f"?{long[1:500]}"}


async def test_py23_a_program_that_a_handler_has_started_occupies_no_slot(tmp_path: Path) -> None:
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, {"program": process_tasks.start_program})
        async with peer:
            file = tmp_path / "program"
            offer = await session.offer("program", str(file), attempt_timeout_seconds=3_000)
            await until(lambda: file.exists() and file.read_text() != "")
            try:
                cancel = {"task_id": offer["task_id"], "fence": 1, "reason": "by its owner"}
                await session.send("task_cancel", cancel)
                while True:
                    offer = await session.offer("echo", "works")
                    answered = asyncio.ensure_future(session.result(offer))
                    refused = asyncio.ensure_future(
                        session.message("task_refuse", task_id=offer["task_id"])
                    )
                    done, waiting = await asyncio.wait(
                        (answered, refused), return_when=asyncio.FIRST_COMPLETED
                    )
                    for each in waiting:
                        each.cancel()
                    if answered in done:
                        break
                    await asyncio.sleep(0.1)
            finally:
                os.kill(int(file.read_text()), signal.SIGKILL)


def facts(payload: str) -> TaskFacts:
    return TaskFacts(
        "7b0f3a52-0b7e-4c53-9d2f-2f6f0a1b2c3d", "wait", payload, 1, 1, None, None, None
    )


async def test_py23_a_cancellation_that_comes_late_does_not_stop_the_next_call(
    tmp_path: Path,
) -> None:
    file = tmp_path / "wait"
    pool = ProcessPool()
    try:
        process = await asyncio.to_thread(pool.take)
        ref = FunctionRef("process_tasks", "wait_cancelled", is_file=False)
        process.send(ProcessCall(7, ref, True, facts(f'"{file}"')))
        process.send(ProcessCancel(6, "the one before"))
        process.send(ProcessCancel(7, "this one"))
        message = await asyncio.to_thread(process.receive)
        assert message == ("settled", Failed("TaskCancelledError: this one", retry=True))
        assert file.read_text() == "stopped: this one"
    finally:
        pool.stop()


UNGUARDED = """
import sys
import muster

@muster.handler("echo", run_in="process")
def echo(payload):
    return payload

muster.connect_peer(sys.argv[1], handlers={"echo": echo}).run()
"""


async def test_py12_a_program_without_a_guard_begins_no_second_peer_in_its_processes(
    tmp_path: Path,
) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(UNGUARDED)
    async with fake_mesh() as mesh:
        program = await asyncio.create_subprocess_exec(
            sys.executable, str(script), mesh.url, stderr=subprocess.PIPE
        )
        session = await mesh.session()
        result = await session.result(await session.offer("echo", 1))
        assert result["error"] == "the process that ran the handler ended with exit code 1"
        again = await session.result(await session.offer("echo", 1))
        assert again["ok"] is False, "the slot is free again"
        program.terminate()
        _, told = await program.communicate()
        assert 'if __name__ == "__main__"' in told.decode()
        assert len(mesh.sessions) == 1
