"""Test vectors of the repository, and those that lie beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]


def vectors(name: str) -> Any:
    """The vectors of a file in docs/vectors."""
    return json.loads((REPOSITORY / "docs" / "vectors" / f"{name}.json").read_text())["vectors"]


def shared_vectors(name: str) -> Any:
    """Vectors that others have made; skips the test where they are missing."""
    path = REPOSITORY.parent / "shared" / "vectors" / name
    if not path.exists():
        pytest.skip(f"../shared/vectors/{name} is not beside the repository")
    return json.loads(path.read_text())
