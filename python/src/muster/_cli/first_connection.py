"""Watches a peer until it has joined, and gives up when the mesh can't be reached."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from muster._cli.failure import UNREACHABLE, Failure
from muster._peer import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from muster._connection.failure import ConnectFailure
    from muster._peer.session_loop import PeerState

FIRST_CONNECTION = 10.0
"""How long a peer without `--retry` tries to connect for the first time: a mesh that starts beside it needs some seconds."""
_LASTING = frozenset({"tls_failed", "not_a_mesh", "redirected", "version_unsupported"})
"""These do not pass within seconds."""
_ENDS = events.Ready | events.Rejected | events.KeyInUseElsewhere | events.Closed
"""The mesh has decided on the peer, or the peer has ended."""


class FirstConnection:
    """`give_up` is called with the failure, once at most."""

    def __init__(
        self, url: str, state: Callable[[], PeerState], give_up: Callable[[Failure], None]
    ) -> None:
        self._url = url
        self._state = state
        self._give_up_peer = give_up
        self._timer: asyncio.TimerHandle | None = None
        self._is_late = False
        self._has_ended = False
        self._last: events.Disconnected | None = None

    def observe(self, event: events.PeerEvent) -> bool:
        """Note an event. Returns whether the peer is given up because of it, which then need not be told."""
        if self._has_ended:
            return False
        if isinstance(event, _ENDS):
            self.stop()
        if isinstance(event, events.Connecting) and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(FIRST_CONNECTION, self._late)
        if not isinstance(event, events.Disconnected):
            return False
        self._last = event
        is_over = self._is_late or (event.failure is not None and _is_lasting(event.failure))
        if is_over:
            self._give_up()
        return is_over

    def stop(self) -> None:
        """Watch no longer."""
        self._has_ended = True
        if self._timer is not None:
            self._timer.cancel()

    def _late(self) -> None:
        self._is_late = True
        # A mesh that has proved its key decides on the admission.
        if not self._has_ended and self._state() != "joining":
            self._give_up()

    def _give_up(self) -> None:
        self.stop()
        failure = None if self._last is None else self._last.failure
        if failure is not None:
            message = failure.message
        elif self._last is None:
            message = f"{self._url} did not answer within {FIRST_CONNECTION:g} s"
        else:
            message = f"cannot join {self._url}: {self._last.reason}"
        is_lasting = failure is not None and failure.code in _LASTING
        hint = (
            "check the URL"
            if is_lasting
            else "check that the mesh is running, or pass --retry to keep trying"
        )
        self._give_up_peer(Failure(UNREACHABLE, message, hint))


def _is_lasting(failure: ConnectFailure) -> bool:
    return failure.code in _LASTING or failure.system_code == "ENOTFOUND"
