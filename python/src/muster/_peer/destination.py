"""The mesh that a peer dials, and the keys that it knows of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from muster._crypto.identity import public_key_hex
from muster._http.urls import api_base, read_mesh_link
from muster.errors import OptionsError


@dataclass(frozen=True, slots=True)
class Destination:
    """A mesh."""

    url: str
    mesh_key: str | None
    """The key that the mesh must prove, in hex; None pins the first key that is proved."""
    next_mesh_key: str | None
    """The key that the mesh has announced as its next one, in hex."""
    join_key: str | None = field(repr=False)


def resolve_destination(
    url: str,
    mesh_key: str | bytes | None,
    next_mesh_key: str | bytes | None,
    join_key: str | None,
) -> Destination:
    """Return the destination that the options name. Raises `OptionsError` if they are not valid or contradict each other."""
    if not isinstance(url, str):
        raise OptionsError(f"`url` is a text, not {type(url).__name__}")
    link = read_mesh_link(url)
    pinned = None if mesh_key is None else public_key_hex(mesh_key)
    if link is not None:
        if pinned is not None and link.mesh_key != pinned:
            raise OptionsError(
                "mesh_key is not the key of the muster:// link; leave one of them out"
            )
        if join_key is not None and link.join_key is not None and link.join_key != join_key:
            raise OptionsError("join_key is not that of the muster:// link; leave one of them out")
        url, pinned, join_key = link.url, link.mesh_key, join_key or link.join_key
    api_base(url)  # raises if the URL is not that of a mesh
    if join_key is not None and pinned is None:
        raise OptionsError("a join key needs mesh_key, or a muster:// link")
    following = None if next_mesh_key is None else public_key_hex(next_mesh_key, "a next mesh key")
    return Destination(url, pinned, following, join_key)
