"""A log on a disk that is full."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from typing import TYPE_CHECKING

from fake_mesh import fake_mesh
from muster._cli.output import LogFile

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def test_py31_it_goes_on_while_its_log_takes_no_line(tmp_path: Path) -> None:
    module = tmp_path / "tasks.py"
    module.write_text("handlers = {'echo': lambda payload: payload}\n")
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "settings")}
    async with fake_mesh() as mesh:
        full = os.open("/dev/full", os.O_WRONLY)
        command = ("-m", "muster", "join", mesh.url, "--module", str(module))
        program = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=full, env=environment
        )
        os.close(full)
        session = await mesh.session()
        assert (await session.result(await session.offer("echo", 5)))["result"] == 5
        program.terminate()
        assert await program.wait() == 0


def test_py31_lines_that_fit_again_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    written = bytearray()
    room = 6

    def write(_: int, data: bytes) -> int:
        if len(written) >= room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part = data[: room - len(written)]
        written.extend(part)
        return len(part)

    monkeypatch.setattr(os, "write", write)
    log = LogFile()
    for line in (b"one\n", b"two\n", b"lost\n"):
        log.write(1, line)
    room = 100
    for line in (b"four\n", b"five\n"):
        log.write(1, line)
    assert written == b"one\ntw\nfour\nfive\n"
