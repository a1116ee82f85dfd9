"""Handlers in processes."""

from __future__ import annotations

import os
from pathlib import Path

import process_tasks
from fake_mesh import fake_mesh
from loops import until
from peers import joined

PROCESSES = {
    "describe": process_tasks.describe,
    "crash": process_tasks.crash,
    "leave": process_tasks.leave,
    "raise": process_tasks.fail,
    "wait": process_tasks.wait_cancelled,
    "deaf": process_tasks.ignore_cancel,
    "children": process_tasks.start_threads,
}


async def test_py23_a_handler_in_a_process_gets_and_returns_the_same() -> None:
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, PROCESSES)
        async with peer:
            offer = await session.offer("describe", {"a": [1, "ü"]}, fence=4, attempt=2)
            result = await session.result(offer)
            described = result["result"]
            pid = described.pop("pid")
            assert pid != os.getpid()
            assert described == {
                "payload": {"a": [1, "ü"]},
                "task_id": offer["task_id"],
                "kind": "describe",
                "text": '{"a": [1, "\\u00fc"]}',
                "fence": 4,
                "attempt": 2,
                "traceparent": None,
                "has_time": False,
            }
            again = await session.result(await session.offer("describe"))
            assert again["result"]["pid"] == pid, "the process is used again"
            parent = await session.result(await session.offer("children"))
            assert parent["result"] == os.getpid()
            failures = {
                ("raise", "x"): ("ValueError: x", True),
                ("raise", "final"): ("never again", False),
                ("leave", 3): ("SystemExit: 3", True),
                ("crash", None): ("the process that ran the handler was ended by signal 6", True),
            }
            for (kind, payload), expected in failures.items():
                result = await session.result(await session.offer(kind, payload))
                assert (result["error"], result["retry"]) == expected
            after = await session.result(await session.offer("describe"))
            assert after["result"]["pid"] != pid


async def test_py23_a_process_is_told_of_a_cancellation_and_ended_if_it_does_not_stop(
    tmp_path: Path,
) -> None:
    async with fake_mesh() as mesh:
        peer, session = await joined(mesh, PROCESSES, slots=2)
        async with peer:
            for kind in ("wait", "deaf"):
                file = tmp_path / kind
                offer = await session.offer(kind, str(file))
                await until(lambda: file.exists() and file.read_text() != "")  # noqa: B023
                pid = file.read_text()
                cancel = {"task_id": offer["task_id"], "fence": 1, "reason": "by its owner"}
                await session.send("task_cancel", cancel)
                if kind == "wait":
                    await until(lambda: file.read_text() == "stopped: by its owner")  # noqa: B023
                else:
                    await until(lambda: not Path(f"/proc/{pid}").exists())  # noqa: B023


async def test_py23_processes_end_with_their_peer(tmp_path: Path) -> None:
    async with fake_mesh() as mesh:
        file = tmp_path / "deaf"
        peer, session = await joined(mesh, PROCESSES)
        await session.offer("deaf", str(file))
        await until(lambda: file.exists() and file.read_text() != "")
        pid = file.read_text()
        await peer.close()
        await until(lambda: not Path(f"/proc/{pid}").exists())
