"""What a peer reports of other peers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muster._crypto.identity import public_key_hex
from muster._protocol.constants import (
    ADDRESS_CHARS_MAX,
    ADVERT_PEERS_MAX,
    RTT_MAX_MS,
    RTTS_PER_MESSAGE_MAX,
)
from muster._protocol.inbound_types import ROLES, Role
from muster.errors import OptionsError

if TYPE_CHECKING:
    from collections.abc import Sequence

_ADVERT_RTT_MAX_MS = 600_000
_ADDRESS = re.compile(rf"[\x21-\x7e]{{0,{ADDRESS_CHARS_MAX}}}")
_PEER_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class KnownPeer:
    """Another peer that this one has contact with."""

    public_key: str | bytes
    address: str = ""
    """The address at which it listens, in visible ASCII; empty: it does not listen."""
    role: Role = "worker"
    rtt_ms: float | None = None
    """The measured round-trip time to it, in milliseconds."""


@dataclass(frozen=True, slots=True)
class MeasuredRtt:
    """A round-trip time that a peer has measured to another peer, in milliseconds (0 to 10,000)."""

    peer_id: str
    rtt_ms: float


def advert_payload(peers: Sequence[KnownPeer]) -> dict[str, Any]:
    """Return the payload of an advert. Raises `OptionsError` if an entry is not valid."""
    if len(peers) > ADVERT_PEERS_MAX:
        raise OptionsError(f"an advert has at most {ADVERT_PEERS_MAX} peers, not {len(peers)}")
    return {"peers": [_advertised(peer) for peer in peers]}


def _advertised(peer: KnownPeer) -> dict[str, Any]:
    if not _ADDRESS.fullmatch(peer.address):
        text = f"an address is visible ASCII of at most {ADDRESS_CHARS_MAX} characters"
        raise OptionsError(text)
    if peer.role not in ROLES:
        raise OptionsError(f"a role is one of {', '.join(ROLES)}; not {peer.role!r}")
    entry: dict[str, Any] = {
        "public_key": public_key_hex(peer.public_key, "a peer's public key"),
        "address": peer.address,
        "role": peer.role,
    }
    if peer.rtt_ms is not None:
        entry["rtt_ms"] = _rtt(peer.rtt_ms, _ADVERT_RTT_MAX_MS)
    return entry


def rtts_payload(measured: Sequence[MeasuredRtt]) -> dict[str, Any]:
    """Return the payload of a report. Raises `OptionsError` if a measurement is not valid."""
    if not 1 <= len(measured) <= RTTS_PER_MESSAGE_MAX:
        text = f"a report has 1 to {RTTS_PER_MESSAGE_MAX} round-trip times, not {len(measured)}"
        raise OptionsError(text)
    for each in measured:
        if not _PEER_ID.fullmatch(each.peer_id):
            raise OptionsError("a peer ID is 32 lower-case hex characters")
    rtts = [{"peer_id": each.peer_id, "rtt_ms": _rtt(each.rtt_ms, RTT_MAX_MS)} for each in measured]
    return {"rtts": rtts}


def _rtt(value: float, most: float) -> float:
    if 0 <= value <= most:
        return value
    raise OptionsError(f"rtt_ms: must be between 0 and {most} (milliseconds), not {value!r:.40}")
