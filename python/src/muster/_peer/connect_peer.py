"""`connect_peer`: joins a mesh as a peer and runs its tasks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from muster._connection.profile import PeerProfile
from muster._crypto.identity import PrivateKey, generate_identity, identity_from
from muster._handlers.executor import HandlerExecutor
from muster._handlers.handlers import Handler, specs_of
from muster._peer.destination import resolve_destination
from muster._peer.key_file import key_from_file
from muster._peer.peer import Peer
from muster._peer.pin_file import known_mesh
from muster._peer.profile_options import (
    check_capabilities,
    check_name,
    check_role,
    check_slots,
    kinds_of,
    selected,
)
from muster.errors import OptionsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from muster._peer.events import PeerEvent
    from muster._protocol.inbound_types import Role


def connect_peer(
    url: str,
    *,
    handlers: Mapping[str, Handler] | None = None,
    kinds: Sequence[str] | None = None,
    private_key: PrivateKey | None = None,
    key_file: str | Path | None = None,
    name: str = "",
    role: Role = "worker",
    capabilities: Iterable[str] = (),
    slots: int = 1,
    prefetch: bool = True,
    mesh_key: str | bytes | None = None,
    next_mesh_key: str | bytes | None = None,
    pin_file: str | Path | None = None,
    join_key: str | None = None,
    on_event: Callable[[PeerEvent], object] | None = None,
) -> Peer:
    """Join a mesh as a peer and run its tasks. Raises `OptionsError` if the options are not valid.

    `url`: the mesh's base URL, such as `https://mesh.example`, or a `muster://` link, which also carries keys.
    `handlers`: by task kind; `*` handles every kind that has no handler of its own. `@peer.handler("kind")` adds more.
    `kinds`: take only tasks of these kinds; default: every kind that has a handler.
    `private_key`: this peer's key; default: a new key, and so a new peer, for each call. `key_file`: a file that keeps it, which is
    created if there is none.
    `slots`: how many tasks run at once. `prefetch`: accept one task more, to start it as soon as a slot is free.
    `mesh_key`: the mesh's public key: a server that does not prove it is refused. Default: the key that `pin_file` has for this mesh,
    else the first one that is proved, which `pin_file` then keeps.
    `join_key`: adds this peer to the mesh's allowlist; sent only to a mesh that has proved its pinned key.
    `on_event`: called in the program's event loop.
    """
    if private_key is not None and key_file is not None:
        raise OptionsError("private_key and key_file both name the key of the peer; leave one out")
    destination = resolve_destination(url, mesh_key, next_mesh_key, join_key)
    pins = None if pin_file is None else Path(pin_file)
    if pins is not None and destination.mesh_key is None:
        known = known_mesh(pins, destination.url)
        if known is not None:
            destination = resolve_destination(destination.url, known.key, known.next, join_key)
    profile = PeerProfile(
        generate_identity(),
        check_name(name),
        check_role(role),
        check_capabilities(capabilities),
        (),
        check_slots(slots),
        bool(prefetch),
    )
    specs = selected(specs_of(handlers or {}), kinds)
    path = None if key_file is None else Path(key_file)
    keys = None
    if private_key is not None:
        keys = identity_from(private_key)
    elif path is not None:
        keys = key_from_file(path)
    if keys is not None:
        profile = replace(profile, keys=keys)
    profile = replace(profile, kinds=kinds_of(specs))
    executor = HandlerExecutor()
    executor.add(specs)
    return Peer(
        destination,
        profile,
        executor,
        kinds=kinds,
        key_file=path,
        pin_file=pins,
        on_event=on_event,
    )
