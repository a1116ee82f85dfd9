"""The package as its users get it."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import muster
from meshes import Mesh
from muster._handlers.context import TaskContext, TaskFacts
from vectors import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = REPOSITORY / "python"


def test_the_version_is_that_of_the_npm_package() -> None:
    package = json.loads((REPOSITORY / "packages/mesh/package.json").read_text())
    assert muster.__version__ == package["version"]


def test_the_license_is_that_of_the_repository() -> None:
    license_text = (PYTHON / "LICENSE").read_text()
    assert license_text == (REPOSITORY / "LICENSE").read_text()


def test_every_public_name_exists() -> None:
    assert sorted(muster.__all__) == list(muster.__all__)
    for name in muster.__all__:
        assert hasattr(muster, name)


def code_blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ["python/README.md", "docs/python.md"])
def test_the_examples_are_valid(name: str) -> None:
    blocks = code_blocks((REPOSITORY / name).read_text(), "python")
    assert blocks
    for block in blocks:
        # Parts of a program await where it is left out that they are in a function.
        compile(block, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_the_example_of_a_model_runs() -> None:
    blocks = code_blocks((REPOSITORY / "docs/python.md").read_text(), "python")
    [module] = [block for block in blocks if block.startswith("# model_tasks.py")]
    names: dict[str, Any] = {}
    exec(module, names)  # noqa: S102 - a page of this repository
    reports: list[float | None] = []
    facts = TaskFacts("id", "classify", "null", 1, 1, None, None, None)
    context = TaskContext(facts, lambda fraction, _: reports.append(fraction))
    batch = [[1.0] * 64, [-1.0] * 64]
    result = names["classify"]({"batch": batch}, context)
    assert len(set(result["labels"])) == 2
    assert reports == [0.5, 1.0]


def test_py37_the_wheel_runs_the_example_of_its_page_in_a_fresh_environment(tmp_path: Path) -> None:
    build = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(PYTHON),
    ]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    [wheel] = tmp_path.glob("muster_mesh-*-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "muster/py.typed" in names
    assert all(name.startswith(("muster/", "muster_mesh-")) for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)

    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        str(wheel),
    ]
    installed = subprocess.run(pip, capture_output=True, text=True, check=False)
    if "NewConnectionError" in installed.stderr or "No matching distribution" in installed.stderr:
        pytest.skip("the package index can't be reached")
    assert installed.returncode == 0, installed.stderr

    page = (PYTHON / "README.md").read_text()
    (tmp_path / "tasks.py").write_text(code_blocks(page, "python")[0])
    [command] = re.findall(r"^python (-m muster join .*)$", page, re.MULTILINE)
    mesh = Mesh(tmp_path)
    mesh.start()
    arguments = command.replace("http://127.0.0.1:8787", mesh.url).split()
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "PYTHONPATH": ""}
    peer = subprocess.Popen([str(python), *arguments], cwd=tmp_path, env=environment)
    try:
        headers = {"authorization": f"Bearer {mesh.token}"}
        with httpx.Client(base_url=mesh.url, headers=headers, timeout=90) as client:
            words = run(client, "word_count", {"text": "one two three"})
            assert words == ("succeeded", {"words": 3, "attempt": 1}, None)
            assert run(client, "square", 12) == ("succeeded", 144, None)
            assert run(client, "square", "x") == ("failed", None, "the payload must be an integer")
        peer.terminate()
        assert peer.wait(60) == 0
    finally:
        peer.kill()
        peer.wait()
        mesh.stop()


def run(client: httpx.Client, kind: str, payload: object) -> tuple[str, object, str | None]:
    submitted = client.post("/v1/tasks", json={"kind": kind, "payload": payload}).json()
    task = client.get(f"/v1/tasks/{submitted['id']}", params={"wait": 60}).json()
    return task["state"], task["result"], task["error"]
