"""The key of a peer on disk, in the form that `muster keygen` writes."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from pathlib import Path

from muster._crypto.identity import KeyPair, generate_identity, identity_from
from muster._peer.private_file import create_private, read_private, replace_private
from muster.errors import OptionsError

_KEY = re.compile(r"[0-9a-f]{64}")


def read_key_file(path: str | Path) -> KeyPair | None:
    """Return the key in a file; None when there is no file. Raises `OptionsError` if it is not a key file."""
    text = read_private(Path(path))
    if text is None:
        return None
    try:
        file = json.loads(text)
    except ValueError:
        file = None
    key = file.get("private_key") if isinstance(file, dict) and file.get("version") == 1 else None
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise OptionsError(f"{path} is not a key file; create one with `muster keygen`")
    return identity_from(key)


def key_from_file(path: str | Path) -> KeyPair:
    """Return the key in a file, which is created with a new key if there is none. Only its owner can read it."""
    keys = read_key_file(path)
    if keys is None and create_private(Path(path), _text_of(made := generate_identity())):
        return made
    keys = keys or read_key_file(path)  # another process has created it meanwhile
    if keys is None:
        raise OptionsError(f"{path} can't be read")
    return keys


def write_key_file(path: str | Path, keys: KeyPair) -> None:
    """Replace a key file."""
    replace_private(Path(path), _text_of(keys))


def _text_of(keys: KeyPair) -> str:
    now = datetime.now(timezone.utc)
    file = {
        "version": 1,
        "id": keys.id,
        "public_key": keys.public_key.hex(),
        "private_key": keys.private_key.hex(),
        "created_at": now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1_000:03d}Z",
    }
    return json.dumps(file, indent=2) + "\n"
