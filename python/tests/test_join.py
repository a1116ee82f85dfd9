"""`python -m muster join`, as a process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from fake_mesh import fake_mesh
from loops import until
from muster._cli.event_lines import _LINES, OutageLines, event_json
from muster._cli.output import escape
from muster._peer import events
from muster._protocol.inbound_types import JoinedMesh
from muster.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MODULE = """
import time
import muster

@muster.handler("echo")
def echo(payload):
    return payload

@muster.handler("slow")
def slow(payload, ctx):
    while not ctx.wait_cancelled(0.02):
        ctx.progress(0.5)
        if payload == "short":
            return "done"
    return "cancelled"

@muster.handler("pid", run_in="process")
def pid(payload):
    import os
    return os.getpid()
"""


class Joined:
    """The command, as a process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.output = ""
        assert process.stdout is not None
        self._reading = asyncio.create_task(self._read(process.stdout))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while part := await stream.read(65_536):
            self.output += part.decode()

    async def ended(self) -> int:
        await self._reading
        return await self.process.wait()


@asynccontextmanager
async def join(*arguments: str, folder: Path) -> AsyncIterator[Joined]:
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder / "settings")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "muster",
        "join",
        *arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
    )
    joined = Joined(process)
    try:
        yield joined
    finally:
        if process.returncode is None:
            process.kill()
        await joined.ended()


@pytest.fixture
def module(tmp_path: Path) -> str:
    path = tmp_path / "tasks.py"
    path.write_text(MODULE)
    return str(path)


async def test_py30_it_runs_the_tasks_of_a_module_and_drains_on_a_signal(
    tmp_path: Path, module: str
) -> None:
    async with fake_mesh() as mesh:
        options = ["--name", "a", "--slots", "2", "--capability", "x=1", "--kind", "slow"]
        options += ["--kind", "echo", "--kind", "pid", "--key-file", str(tmp_path / "key.json")]
        async with join(mesh.url, "--module", module, *options, folder=tmp_path) as joined:
            session = await mesh.session()
            assert session.hello["kinds"] == ["slow", "echo", "pid"]
            assert (session.hello["slots"], session.hello["capabilities"]) == (2, ["x=1"])
            assert (await session.result(await session.offer("echo", 5)))["result"] == 5
            in_process = await session.result(await session.offer("pid"))
            assert in_process["result"] not in (joined.process.pid, os.getpid())
            offer = await session.offer("slow")
            await session.message("task_progress", task_id=offer["task_id"])
            joined.process.send_signal(signal.SIGTERM)
            drain = await session.message("drain")
            assert drain["payload"]["reason"] == "stopped by its user"
            cancel = {"task_id": offer["task_id"], "fence": 1, "reason": "by its owner"}
            await session.send("task_cancel", cancel)
            assert await joined.ended() == 0
            lines = joined.output.splitlines()
            assert lines[0] == f"public key  {session.peer_key.hex()}"
            assert f"joined fake as worker {session.peer_id}" in lines
            assert f"task {offer['task_id']} slow: cancelled: by its owner" in lines
            assert lines[-1] == "left the mesh"
    pins = json.loads((tmp_path / "settings/muster/known-meshes.json").read_text())
    assert pins == {mesh.url: {"key": mesh.keys.public_key.hex(), "next": None}}


async def test_py30_a_second_signal_ends_it_at_once(tmp_path: Path, module: str) -> None:
    async with fake_mesh() as mesh, join(mesh.url, "--module", module, folder=tmp_path) as joined:
        session = await mesh.session()
        offer = await session.offer("slow")
        await session.message("task_progress", task_id=offer["task_id"])
        while session.of_type("task_release") == []:
            joined.process.send_signal(signal.SIGINT)
            await asyncio.sleep(0.3)
        assert await joined.ended() == 0


async def test_py30_events_are_written_as_json(tmp_path: Path, module: str) -> None:
    async with (
        fake_mesh() as mesh,
        join(mesh.url, "--module", module, "--json", folder=tmp_path) as joined,
    ):
        session = await mesh.session()
        await session.result(await session.offer("echo", 5))
        await until(lambda: "task_succeeded" in joined.output)
        await session.close(4403, "revoked: by the operator")
        assert await joined.ended() == 4
        *lines, last = joined.output.splitlines()
        told = [json.loads(line) for line in lines]
        types = [each["type"] for each in told]
        assert types == ["connecting", "ready", "task_started", "task_succeeded", "closed"]
        assert told[-1]["error"]["code"] == "revoked"
        assert last.startswith("muster: revoked: the mesh has revoked this peer (by the operator)")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["{url}"], 2, "--module"),
        (["{url}", "--module", "missing.py"], 2, "missing.py is no file; it is the --module"),
        (["{url}", "--module", "{empty}"], 2, "has no handlers"),
        (["{url}", "--module", "{broken}"], 2, "broken.py: ZeroDivisionError"),
        (["{url}", "--module", "{ending}"], 2, "ending.py: it ends the program (sys.exit)"),
        (["{url}", "--module", "{wide}"], 2, "context of its task; not wide(a, b, c)"),
        (["--module", "{module}"], 2, "name one mesh"),
        (["ftp://h", "--module", "{module}"], 2, "not the URL of a mesh"),
        (
            ["{url}", "--module", "{module}", "--slots", "999"],
            2,
            "slots: must be between 0 and 256",
        ),
        (["{url}", "--module", "{module}", "--slots", "x"], 2, "--slots"),
        (["{url}", "--module", "{module}", "--kind", "other"], 2, "no handler for other"),
        (["{url}", "--module", "{module}", "--join-key", "mjk_1"], 2, "--key-file"),
        (["{url}", "--module", "{module}", "--drain-timeout", "-1"], 2, "must be 0 to 86400"),
        (["http://127.0.0.1:{port}", "--module", "{module}"], 3, "ECONNREFUSED"),
        (["http://mesh.invalid", "--module", "{module}"], 3, "ENOTFOUND"),
        (["{url}/elsewhere", "--module", "{module}"], 3, "is no Muster mesh"),
        (["{url}", "--module", "{module}", "--mesh-key", "ab" * 32], 4, "mesh_unproved"),
    ],
)
def test_py31_it_fails_with_a_reason_and_the_exit_codes_of_the_command_line(
    tmp_path: Path, module: str, arguments: list[str], code: int, says: str
) -> None:
    (tmp_path / "empty.py").write_text("x = 1\n")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "ending.py").write_text("raise SystemExit(0)\n")
    (tmp_path / "wide.py").write_text("def wide(a, b, c): ...\nhandlers = {'wide': wide}\n")

    async def run() -> tuple[int, str]:
        async with fake_mesh() as mesh:
            mesh.answers["/elsewhere/v1/mesh"] = (404, b"<html>")
            modules = ("empty", "broken", "ending", "wide")
            places: dict[str, Any] = {"url": mesh.url, "module": module, "port": 9}
            places |= {name: tmp_path / f"{name}.py" for name in modules}
            filled = [each.format(**places) for each in arguments]
            async with join(*filled, folder=tmp_path) as joined:
                return await joined.ended(), joined.output

    exit_code, output = asyncio.run(run())
    assert says in output
    assert exit_code == code
    is_of_user = "ZeroDivisionError" in says
    assert ("Traceback" in output) is is_of_user


async def test_py31_with_retry_it_waits_for_the_mesh(tmp_path: Path, module: str) -> None:
    async with fake_mesh() as mesh:
        port = int(mesh.url.rsplit(":", 1)[1])
    arguments = [f"http://127.0.0.1:{port}", "--module", module, "--retry"]
    async with join(*arguments, folder=tmp_path) as joined:
        await until(lambda: "ECONNREFUSED" in joined.output)
        async with fake_mesh(port=port) as mesh:
            await mesh.session()
            await until(lambda: "without the mesh" in joined.output)


def test_py31_a_link_in_a_file_is_kept_secret(tmp_path: Path, module: str) -> None:
    async def run() -> str:
        async with fake_mesh() as mesh:
            link = tmp_path / "lab.link"
            key = mesh.keys.public_key.hex()
            link.write_text(f"{mesh.url.replace('http', 'muster')}/#{key}&join=mjk_{'0a' * 16}\n")
            link.chmod(0o600)
            options = ["--link-file", str(link), "--key-file", str(tmp_path / "key.json")]
            async with join("--module", module, *options, folder=tmp_path) as joined:
                session = await mesh.session()
                assert session.hello["join_key"] == f"mjk_{'0a' * 16}"
                await session.close(4403, "join_key_invalid: used up")
                assert await joined.ended() == 4
                return joined.output

    output = asyncio.run(run())
    assert "mjk_" not in output
    assert "ask the operator for a new link" in output


def test_py31_text_of_others_moves_no_cursor() -> None:
    assert escape("a\x1b[2J\nb\u202ec\x7f\u2028\ud800ü") == (
        "a\\x1b[2J\\nb\\u202ec\\x7f\\u2028\\ud800ü"
    )


def test_py31_an_outage_has_few_lines() -> None:
    now = 0.0
    lines = OutageLines(lambda: now)
    mesh = JoinedMesh("0a" * 16, "lab", "0b" * 32, None)
    ready = events.Ready("0a" * 16, 1, "worker", mesh)
    told = [lines.line(ready)]
    for _ in range(3):
        told.append(lines.line(events.Disconnected(1006, "", 1.5)))
        told.append(lines.line(events.Connecting("http://h", 1)))
    told.append(lines.line(events.Disconnected(4503, "mesh_restarting: x", 1.5)))
    now = 12.0
    told.append(lines.line(ready))
    assert [each for each in told if each is not None] == [
        f"joined lab as worker {'0a' * 16}",
        "disconnected (1006), reconnecting in 1.5 s",
        "the mesh restarts (4503, mesh_restarting: x), reconnecting in 1.5 s",
        f"joined lab as worker {'0a' * 16}, after 12 s without the mesh",
    ]
    assert json.loads(event_json(ready))["mesh"]["name"] == "lab"
    closed = json.loads(event_json(events.Closed(PeerError("revoked", "x"))))
    assert closed == {"type": "closed", "error": {"code": "revoked", "message": "x"}}


def test_py31_every_event_has_a_line() -> None:
    types = {each.__dataclass_fields__["type"].default for each in events.PeerEvent.__args__}
    assert types == set(_LINES)
