"""`python -m muster join`: joins a mesh as a peer, and runs the handlers of a module."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from muster._base.redact import redact_url
from muster._cli.event_lines import OutageLines, event_json
from muster._cli.failure import OK, USAGE, Failure
from muster._cli.first_connection import FirstConnection
from muster._cli.output import print_line
from muster._handlers.handlers import handlers_of
from muster._handlers.process_entry import load_module
from muster._http.urls import read_mesh_link
from muster._peer.connect_peer import connect_peer
from muster._peer.events import Closed
from muster._peer.pin_file import default_pin_file
from muster._peer.private_file import read_private
from muster._peer.probe import probe_capabilities
from muster._peer.profile_options import selected
from muster.errors import OptionsError

if TYPE_CHECKING:
    import argparse

    from muster._handlers.handlers import HandlerSpec
    from muster._peer.events import PeerEvent
    from muster._peer.peer import Peer


def join(values: argparse.Namespace) -> int:
    """Run the command. Returns the exit code."""
    url = _target(values)
    join_key = _join_key(values)
    _expect_key_file(values, url, join_key)
    specs = _handlers(values.module)
    capabilities = [*values.capability, *(probe_capabilities() if values.probe else [])]
    command = _Join(values)
    peer = connect_peer(
        url,
        key_file=values.key_file,
        name=values.name,
        role=values.role,
        capabilities=capabilities,
        slots=values.slots,
        prefetch=not values.no_prefetch,
        mesh_key=values.mesh_key,
        join_key=join_key,
        pin_file=default_pin_file(),
        on_event=command.told,
    )
    peer.add_handlers(selected(specs, values.kind), str(Path(values.module).resolve()))
    return asyncio.run(command.run(peer, url))


class _Join:
    """One run of the command."""

    def __init__(self, values: argparse.Namespace) -> None:
        self._values = values
        self._lines = OutageLines()
        self._first: FirstConnection | None = None
        self._unreachable: Failure | None = None
        self._leaving: asyncio.Task[None] | None = None

    def told(self, event: PeerEvent) -> None:
        """Tell an event."""
        is_told = self._first is not None and self._first.observe(event)
        if is_told or self._unreachable is not None:
            return
        if self._values.json:
            print_line(event_json(event))
            return
        # The command ends with this error, and its text is written then.
        if isinstance(event, Closed) and event.error is not None:
            return
        line = self._lines.line(event)
        if line is not None:
            print_line(line)

    async def run(self, peer: Peer, url: str) -> int:
        """Run the peer until it has ended."""
        link = read_mesh_link(url)
        shown = redact_url(url if link is None else link.url)
        if not self._values.retry:
            self._first = FirstConnection(
                shown, lambda: peer.state, lambda failure: self._give_up(peer, failure)
            )
        if not self._values.json:
            print_line(f"public key  {peer.public_key}")
        await peer.serve(self._values.drain_timeout)
        await asyncio.sleep(0)  # the last events are on their way
        if self._unreachable is not None:
            raise self._unreachable
        return OK

    def _give_up(self, peer: Peer, failure: Failure) -> None:
        self._unreachable = failure
        self._leaving = asyncio.ensure_future(peer.close(str(failure)))


def _target(values: argparse.Namespace) -> str:
    if values.link_file is None and values.url is not None:
        return str(values.url)
    if values.link_file is None or values.url is not None:
        raise Failure(USAGE, "name one mesh", "pass its URL, a muster:// link, or --link-file")
    return _secret(values.link_file, "link")


def _join_key(values: argparse.Namespace) -> str | None:
    if values.join_key_file is None:
        return values.join_key  # type: ignore[no-any-return]
    if values.join_key is not None:
        text = "the join key is given twice"
        raise Failure(USAGE, text, "leave --join-key or --join-key-file out")
    return _secret(values.join_key_file, "join key")


def _secret(path: str, what: str) -> str:
    try:
        text = read_private(Path(path))
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(
            USAGE, f"{path} can't be read: {error}", f"it is the file of the {what}"
        ) from None
    if text is None or text.strip() == "":
        raise Failure(USAGE, f"{path} has no {what}", "check the path")
    return text.strip()


def _expect_key_file(values: argparse.Namespace, url: str, join_key: str | None) -> None:
    link = read_mesh_link(url)
    has_join_key = join_key is not None or (link is not None and link.join_key is not None)
    if has_join_key and values.key_file is None:
        text = "a join key admits the key of this peer, which must be kept for the next join"
        raise Failure(USAGE, text, "pass --key-file FILE, too")


def _handlers(path: str) -> dict[str, HandlerSpec]:
    if not Path(path).is_file():
        raise Failure(USAGE, f"{path} is no file", "it is the --module")
    try:
        return handlers_of(load_module(path))
    except OptionsError as error:
        raise Failure(USAGE, f"{path}: {error}") from None
    except SystemExit:  # with its exit code the program would seem to have joined
        text = f"handlers_not_loaded: {path}: it ends the program (sys.exit)"
        raise Failure(USAGE, text) from None
    except Exception as error:
        text = f"handlers_not_loaded: {path}: {type(error).__name__}: {error}"
        raise Failure(USAGE, text) from error
