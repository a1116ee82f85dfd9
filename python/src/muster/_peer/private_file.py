"""Files that only their owner can read, and small files that are replaced whole."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import warnings
from pathlib import Path

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
    """Create a file that only its owner can read. False if it exists already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return True


def replace_private(path: Path, text: str) -> None:
    """Replace a file whole: a reader, or a crash, never meets half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
