"""Real meshes as processes: `muster serve` of this repository."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHECKOUT = Path(os.environ.get("MUSTER_CHECKOUT", str(Path(__file__).parents[2])))
MUSTER = CHECKOUT / "bin" / "muster.js"
START_TIMEOUT = 60.0
"""On a busy machine a start takes ten times as long as on an idle one."""


def node() -> str:
    """The Node that runs a mesh; skips the test where there is none."""
    own = CHECKOUT / "node_modules" / "node" / "bin" / "node"
    found = str(own) if own.exists() else shutil.which("node")
    if found is None:
        pytest.skip("Node is missing, which runs a mesh")
    if not MUSTER.exists() or not (CHECKOUT / "node_modules").exists():
        pytest.skip(f"no checkout of Muster with its packages at {CHECKOUT}")
    return found


class Mesh:
    """A mesh on a port of this machine, with its state in a folder."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.settings = {"auth-mode": "open", "allow-loopback": "true", **(settings or {})}
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the mesh and wait until it is ready."""
        options = [part for name, value in self.settings.items() for part in (f"--{name}", value)]
        state = ("--dir", str(self.folder / ".muster"), "--port", str(self.port))
        with (self.folder / "mesh.log").open("ab") as log:
            self._process = _start([node(), str(MUSTER), "serve", *state, *options], log)
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == httpx.codes.OK:
                    return
            except httpx.HTTPError:
                pass
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "mesh.log").read_text()[-2_000:])
            time.sleep(0.1)

    @property
    def token(self) -> str:
        """The admin token."""
        text = (self.folder / ".muster" / "secrets.env").read_text()
        found = re.search(r"^ADMIN_TOKEN=(.*)$", text, re.MULTILINE)
        assert found is not None
        return found[1].strip("\"'")

    @property
    def mesh_key(self) -> str:
        """The public key of the mesh, in hex."""
        key = httpx.get(f"{self.url}/v1/mesh", timeout=30).json()["public_key"]
        assert isinstance(key, str)
        return key

    def kill(self) -> None:
        """End the mesh at once, as a power failure does."""
        _end(self._process, signal.SIGKILL)
        self._process = None

    def stop(self) -> None:
        """End the mesh."""
        _end(self._process, signal.SIGTERM)
        self._process = None


class Worker:
    """A worker that runs a program of a shell for each task, as another process."""

    def __init__(self, mesh: Mesh, program: str, options: Sequence[str] = ()) -> None:
        with (mesh.folder / "worker.log").open("ab") as log:
            join = (node(), str(MUSTER), "join", mesh.url, "--exec", program)
            self._process: subprocess.Popen[bytes] | None = _start([*join, *options], log)

    def stop(self) -> None:
        """End the worker."""
        _end(self._process, signal.SIGKILL)
        self._process = None


def _start(command: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    # A group of its own: a mesh is several processes.
    # Variables of the tests are no settings of a mesh.
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")
    }
    environment = {**inherited, "PATH": f"{Path(command[0]).parent}:{os.environ.get('PATH', '')}"}
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=environment,
    )


def _end(process: subprocess.Popen[bytes] | None, how: signal.Signals) -> None:
    if process is None:
        return
    try:
        os.killpg(process.pid, how)
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    except ProcessLookupError:
        process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
