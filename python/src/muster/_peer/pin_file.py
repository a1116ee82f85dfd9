"""The key that each mesh proved when it was first joined, in the form of `known-meshes.json` of the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from muster._http.urls import api_base
from muster._peer.private_file import replace_private
from muster.errors import MusterError, OptionsError

if TYPE_CHECKING:
    from muster._protocol.inbound_types import JoinedMesh


class KnownMesh(NamedTuple):
    """The keys of a mesh, in hex."""

    key: str
    next: str | None


class PinConflict(MusterError):  # noqa: N818 - what happened
    """Two servers have proved different keys at one URL: ask the operator for the key of the mesh, and pass it as `mesh_key`."""

    code = "mesh_key_mismatch"


def default_pin_file() -> Path:
    """Return the file that the command line uses, in the user's settings folder."""
    folder = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(folder) / "muster" / "known-meshes.json"


def known_mesh(path: Path, url: str) -> KnownMesh | None:
    """Return what is known of the mesh at this URL; None when it was never joined."""
    mesh = _read(path).get(_origin_of(url))
    if mesh is None:
        return None
    following = mesh.get("next")
    return KnownMesh(str(mesh.get("key")), following if isinstance(following, str) else None)


def remember_mesh(path: Path, url: str, mesh: JoinedMesh, *, is_first: bool) -> None:
    """Store the keys that the mesh has proved, for the next connection. Raises `PinConflict`."""
    origin = _origin_of(url)
    known = _read(path)
    current = known.get(origin)
    entry = {"key": mesh.public_key, "next": mesh.next_public_key}
    if current == entry:
        return
    if is_first and current is not None and current.get("key") != mesh.public_key:
        text = (
            f"{origin} proved the key {mesh.public_key} here, and {current.get('key')} to another process; "
            "ask the operator for the key of the mesh, and pass it as mesh_key"
        )
        raise PinConflict(text)
    replace_private(path, json.dumps({**known, origin: entry}, indent=2) + "\n")


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        known = None
    if isinstance(known, dict) and all(isinstance(each, dict) for each in known.values()):
        return known
    raise OptionsError(
        f"{path} is not valid: repair it, or delete it and check the key of each mesh again"
    )


def _origin_of(url: str) -> str:
    parts = urlsplit(api_base(url))
    return f"{parts.scheme}://{parts.netloc}"
