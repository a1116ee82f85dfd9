from __future__ import annotations

import json
from pathlib import Path

import muster

REPOSITORY = Path(__file__).parents[2]


def test_the_version_is_that_of_the_npm_package() -> None:
    package = json.loads((REPOSITORY / "packages/mesh/package.json").read_text())
    assert muster.__version__ == package["version"]


def test_the_license_is_that_of_the_repository() -> None:
    license_text = (REPOSITORY / "python/LICENSE").read_text()
    assert license_text == (REPOSITORY / "LICENSE").read_text()


def test_every_public_name_exists() -> None:
    assert sorted(muster.__all__) == list(muster.__all__)
    for name in muster.__all__:
        assert hasattr(muster, name)
