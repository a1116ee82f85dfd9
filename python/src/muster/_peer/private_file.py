"""Files that only their owner can read, and small files that are replaced whole."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OTHERS = 0o077


def read_private(path: Path) -> str | None:
    """Return the text of a file with a secret; None when it does not exist. Warns when others than its owner may read it."""
    try:
        with path.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read()
    except FileNotFoundError:
        return None
    if sys.platform != "win32" and stat.S_ISREG(mode) and mode & _OTHERS:
        text_of = f"other users may read {path}, which has a secret; run: chmod 600 {path}"
        warnings.warn(text_of, stacklevel=2)
    return text


def create_private(path: Path, text: str) -> bool:
    """Create a file that only its owner can read, at once with its whole text. False if it exists already."""
    with _temporary(path, text) as name:
        try:
            os.link(name, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _HAS_NO_LINKS:
                raise
            return _create_exclusively(path, text)
    return True


def replace_private(path: Path, text: str) -> None:
    """Replace a file whole: a reader, or a crash, never meets half of it."""
    # A symbolic link, as of a folder of settings that is kept elsewhere, stays one.
    target = Path(os.path.realpath(path))
    with _temporary(target, text) as name:
        name.replace(target)


_HAS_NO_LINKS = frozenset(
    {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
)
"""What file systems without hard links report, such as FAT (`EINVAL` on Windows)."""


@contextlib.contextmanager
def _temporary(path: Path, text: str) -> Iterator[Path]:
    """A private file beside `path` with this text, which is gone afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        _write(descriptor, text)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _create_exclusively(path: Path, text: str) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    try:
        _write(descriptor, text)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return True


def _write(descriptor: int, text: str) -> None:
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
