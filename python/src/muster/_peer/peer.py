"""A peer, as its program sees it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from muster._base.backoff import is_seconds
from muster._crypto.identity import KeyPair, PrivateKey, generate_identity, identity_from
from muster._handlers.handlers import Handler, HandlerSpec, RunIn, check_kind, spec_of, specs_of
from muster._peer.adverts import advert_payload, rtts_payload
from muster._peer.events import Closed, Ready
from muster._peer.key_file import write_key_file
from muster._peer.loop_thread import LoopThread
from muster._peer.mesh_peer import MeshPeer
from muster._peer.peer_drain import DRAIN_TIMEOUT_DEFAULT
from muster._peer.pin_file import remember_mesh
from muster._peer.profile_options import (
    check_capabilities,
    check_slots,
    kinds_of,
    selected,
)
from muster._peer.stop_signals import stop_signals
from muster._protocol.constants import DRAIN_TIMEOUT_MAX
from muster.errors import MusterError, OptionsError, PeerError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from muster._connection.profile import PeerProfile
    from muster._handlers.executor import HandlerExecutor
    from muster._peer.adverts import KnownPeer, MeasuredRtt
    from muster._peer.destination import Destination
    from muster._peer.events import PeerEvent
    from muster._peer.session_loop import PeerState
    from muster._protocol.inbound_types import JoinedMesh

F = TypeVar("F", bound=Handler)
_log = logging.getLogger("muster")
LEAVES = "the peer leaves"
_STOPPED = "stopped by its user"
_LINGER = 5.0
"""How long the thread of a session goes on after its end: the socket is closed meanwhile."""


class Peer:
    """A peer of a mesh. It reconnects by itself until it is closed or the mesh refuses it.

    It dials when it is used: by `async with peer:`, `await peer.ready()`, `await peer.closed()`, `await peer.serve()` or `peer.run()`. Its
    session runs in a thread of its own, so that what the program does never delays a heartbeat or the renewal of a lease.
    """

    def __init__(
        self,
        destination: Destination,
        profile: PeerProfile,
        handlers: HandlerExecutor,
        *,
        kinds: Sequence[str] | None,
        key_file: Path | None,
        pin_file: Path | None,
        on_event: Callable[[PeerEvent], object] | None,
    ) -> None:
        self._destination = destination
        self._profile = profile
        self._kinds = kinds
        self._key_file = key_file
        self._pin_file = pin_file
        self._on_event = on_event
        self._handlers = handlers
        self._program_loop: asyncio.AbstractEventLoop | None = None
        self._thread: LoopThread | None = None
        self._peer: MeshPeer | None = None
        self._mesh: JoinedMesh | None = None
        self._end: Closed | None = None

    def __repr__(self) -> str:
        return f"Peer({self.id}, {self.state})"

    @property
    def id(self) -> str:
        """32 hex characters, derived from the public key."""
        return self._current_profile.keys.id

    @property
    def public_key(self) -> str:
        """In hex, as an allowlist takes it."""
        return self._current_profile.keys.public_key.hex()

    @property
    def state(self) -> PeerState:
        """Where the peer is; `waiting` before it has dialed for the first time."""
        if self._end is not None:
            return "closed"
        return "waiting" if self._peer is None else self._peer.session.state

    @property
    def discovery_keys(self) -> dict[str, Any] | None:
        """The keys that find and open other peers, as of the newest welcome; None if the mesh gives this peer none."""
        return None if self._peer is None else self._peer.discovery_keys

    def handler(self, *kinds: str, run_in: RunIn | None = None) -> Callable[[F], F]:
        """Declare a function as the handler of some kinds of task. A peer that has joined announces them."""
        if not kinds:
            raise OptionsError('name the kind: @peer.handler("resize")')

        def declare(function: F) -> F:
            self.add_handlers({check_kind(kind): spec_of(function, run_in) for kind in kinds})
            return function

        return declare

    def add_handlers(
        self, handlers: Mapping[str, Handler | HandlerSpec], file: str | None = None
    ) -> None:
        """Add handlers, by kind. A peer that has joined announces them. `file`: the module that they come from."""
        self._handlers.add(specs_of(handlers), file)
        if self._kinds is None:
            self._change({"kinds": kinds_of(self._handlers.specs)})

    async def ready(self) -> JoinedMesh:
        """Return at the first welcome. Raises `PeerError` if the mesh refuses the peer or it is closed before."""
        if self._end is None:
            thread, peer = self._start()
            return await thread.run(peer.wait_ready())
        if self._mesh is not None:
            return self._mesh
        raise self._end.error or PeerError("closed", "the peer was closed before it joined")

    async def closed(self) -> None:
        """Return when the peer has ended. Raises `PeerError` if the mesh has ended it for good."""
        if self._end is None:
            thread, peer = self._start()
            await thread.run(peer.wait_closed())
        elif self._end.error is not None:
            raise self._end.error

    async def drain(self, timeout: float = DRAIN_TIMEOUT_DEFAULT, reason: str = LEAVES) -> None:
        """Leave the mesh without losing work. Returns once the socket is closed.

        No new task is accepted, what is not started goes back at once, and what runs may finish until the time limit; what still runs
        then is released like by `close`.
        """
        if not is_seconds(timeout) or timeout > DRAIN_TIMEOUT_MAX:
            text = f"timeout: must be between 0 and {DRAIN_TIMEOUT_MAX:g} (seconds), not {timeout!r:.40}"
            raise OptionsError(text)
        await self._leave(lambda peer: peer.drain(timeout, reason))

    async def close(self, reason: str = LEAVES) -> None:
        """Leave the mesh at once: release what runs, so that other peers get it, and cancel the handlers."""
        await self._leave(lambda peer: peer.close(reason))

    async def serve(self, drain_timeout: float = DRAIN_TIMEOUT_DEFAULT) -> None:
        """Run tasks until the peer has ended: by the mesh, or by a signal.

        SIGTERM and SIGINT drain the peer; a second one closes it at once. Must run in the main thread for that.
        """
        if self._end is None:
            self._start()

        def drain() -> None:
            self._soon(lambda peer: peer.drain(drain_timeout, _STOPPED))

        def close() -> None:
            self._soon(lambda peer: peer.close(_STOPPED))

        with stop_signals(drain, close):
            await self.closed()

    def run(self, drain_timeout: float = DRAIN_TIMEOUT_DEFAULT) -> None:
        """Do what `serve` does, for programs without an event loop."""
        asyncio.run(self.serve(drain_timeout))

    async def rotate(self, new_key: PrivateKey | None = None) -> KeyPair:
        """Replace the peer's key. Record, allowlist entry and held tasks move to the new key, and the old key is barred.

        Returns the new keys once the mesh has welcomed the peer under them. A peer with a `key_file` stores the new key beside it (`.new`)
        before, and in it afterwards; store the key yourself otherwise, before the call: the old one is useless afterwards. Raises
        `PeerError`: `rotation_failed`, or `rotation_unknown` if the peer ends meanwhile.
        """
        keys = generate_identity() if new_key is None else identity_from(new_key)
        if self._end is not None:
            raise PeerError("rotation_failed", "the peer is closed")
        thread, peer = self._start()
        if self._key_file is None:
            return await thread.run(peer.rotate(keys))
        beside = self._key_file.with_name(f"{self._key_file.name}.new")
        write_key_file(beside, keys)
        try:
            await thread.run(peer.rotate(keys))
        except MusterError as error:
            if error.code != "rotation_failed":
                text = f"{error} (the old one is in {self._key_file}, the new one in {beside})"
                raise PeerError("rotation_unknown", text) from None
            beside.unlink()
            raise
        beside.replace(self._key_file)
        return keys

    async def advertise(self, peers: Sequence[KnownPeer]) -> bool:
        """Inform the mesh of other peers, at most 32 per call; the mesh answers with a `sample` event.

        False if it was not sent: there is no active session, or the last advert was less than a minute ago.
        """
        advert_payload(peers)  # raises in the caller's thread
        return await self._in_session(lambda peer: peer.advertise(peers))

    async def report_rtts(self, rtts: Sequence[MeasuredRtt]) -> bool:
        """Report round-trip times to other peers, at most 16 per call.

        The mesh accepts one report per 10 s, and six at once. False if it was not sent: there is no active session, or there were more.
        """
        rtts_payload(rtts)  # raises in the caller's thread
        return await self._in_session(lambda peer: peer.report_rtts(rtts))

    def announce(
        self,
        *,
        capabilities: Iterable[str] | None = None,
        kinds: Sequence[str] | None = None,
        slots: int | None = None,
        prefetch: bool | None = None,
    ) -> None:
        """Change capabilities, kinds, slots or prefetch. Queued tasks that the peer now qualifies for can be offered at once."""
        changes: dict[str, Any] = {}
        if capabilities is not None:
            changes["capabilities"] = check_capabilities(capabilities)
        if kinds is not None:
            changes["kinds"] = tuple(selected(self._handlers.specs, kinds))
            self._kinds = kinds
        if slots is not None:
            changes["slots"] = check_slots(slots)
        if prefetch is not None:
            changes["prefetch"] = bool(prefetch)
        self._change(changes)

    async def __aenter__(self) -> Self:
        """Dial. Does not wait for the welcome: `await peer.ready()` does."""
        if self._end is None:
            self._start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def _current_profile(self) -> PeerProfile:
        return self._profile if self._peer is None else self._peer.profile

    async def _leave(self, work: Callable[[MeshPeer], Coroutine[Any, Any, None]]) -> None:
        if self._thread is None or self._peer is None:
            self._end = self._end or Closed(None)  # it has never dialed
        elif self._end is None:
            await self._thread.run(work(self._peer))

    def _start(self) -> tuple[LoopThread, MeshPeer]:
        if self._thread is not None and self._peer is not None:
            return self._thread, self._peer
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            raise OptionsError(
                "a process for handlers has imported this program, and must not begin another peer: "
                'put what begins the peer under `if __name__ == "__main__":`'
            )
        self._program_loop = asyncio.get_running_loop()
        self._handlers.program_loop = self._program_loop
        thread = LoopThread("muster-session")
        self._thread = thread
        peer = thread.call(self._make)
        self._peer = peer
        return thread, peer

    def _make(self) -> MeshPeer:
        remember = None if self._pin_file is None else self._remember
        return MeshPeer(self._destination, self._profile, self._handlers, self._emit, remember)

    def _change(self, changes: dict[str, Any]) -> None:
        if self._peer is None or self._thread is None:
            self._profile = replace(self._profile, **changes)
        else:
            self._thread.post(self._peer.announce, changes)

    def _soon(self, work: Callable[[MeshPeer], Coroutine[Any, Any, None]]) -> None:
        if self._thread is not None and self._peer is not None and self._end is None:
            asyncio.run_coroutine_threadsafe(work(self._peer), self._thread.loop)

    async def _in_session(self, work: Callable[[MeshPeer], bool]) -> bool:
        peer = self._peer
        if peer is None or self._thread is None or self._end is not None:
            return False

        async def call() -> bool:
            return work(peer)

        return await self._thread.run(call())

    def _remember(self, mesh: JoinedMesh) -> None:
        if self._pin_file is not None:
            is_first = self._destination.mesh_key is None
            remember_mesh(self._pin_file, self._destination.url, mesh, is_first=is_first)

    def _emit(self, event: PeerEvent) -> None:
        """Pass an event to the program, in its loop."""
        _log.log(logging.INFO if isinstance(event, Ready | Closed) else logging.DEBUG, "%s", event)
        if isinstance(event, Ready):
            self._mesh = event.mesh
        elif isinstance(event, Closed):
            self._end = event
            if self._thread is not None:
                self._thread.stop_after(_LINGER)
        if self._on_event is None or self._program_loop is None:
            return
        # The program's loop may have ended without closing the peer.
        with contextlib.suppress(RuntimeError):
            self._program_loop.call_soon_threadsafe(self._on_event, event)
