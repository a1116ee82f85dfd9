"""Files with secrets."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

import pytest

from muster._peer.key_file import key_from_file, read_key_file, write_key_file
from muster._peer.private_file import create_private

if TYPE_CHECKING:
    from pathlib import Path


def refuse(number: int) -> None:
    raise OSError(number, os.strerror(number))


@pytest.mark.parametrize("link_error", [None, errno.EPERM, errno.EOPNOTSUPP])
def test_py3_a_disk_that_is_full_leaves_no_key_file_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link_error: int | None
) -> None:
    """Also on file systems without hard links."""
    if link_error is not None:
        monkeypatch.setattr(os, "link", lambda *_: refuse(link_error))
    path = tmp_path / "folder" / "peer.json"
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: refuse(errno.ENOSPC))
        with pytest.raises(OSError, match="No space left"):
            key_from_file(path)
    assert list(path.parent.iterdir()) == []
    made = key_from_file(path)
    assert key_from_file(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert create_private(path, "other") is False
    assert read_key_file(path) == made
    assert list(path.parent.iterdir()) == [path]


def test_py3_a_full_disk_keeps_the_key_that_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "peer.json"
    made = key_from_file(path)
    other = key_from_file(tmp_path / "other.json")
    monkeypatch.setattr(os, "fsync", lambda _: refuse(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left"):
        write_key_file(path, other)
    assert read_key_file(path) == made


def test_py3_a_symbolic_link_to_a_key_file_stays_one(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    key_from_file(elsewhere)
    path = tmp_path / "peer.json"
    path.symlink_to(elsewhere)
    made = key_from_file(tmp_path / "new.json")
    write_key_file(path, made)
    assert path.is_symlink()
    assert read_key_file(elsewhere) == made
