"""Opens the WebSocket of a dial, and finds out why a mesh refuses it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from websockets.exceptions import InvalidHandshake, InvalidStatus

from muster._base.redact import redact
from muster._connection.end import (
    ConnectionEnd,
    Dropped,
    Refused,
    Skewed,
)
from muster._connection.end_connection import EndConnection, failed, skewed, unproved
from muster._connection.failure import ConnectFailure, failure_of_answer, failure_of_error
from muster._connection.mesh_key import fetch_proved_time
from muster._connection.web_socket import WebSocket
from muster._crypto.identity import peer_id_of
from muster._crypto.key_proofs import make_connect_proof
from muster._http.problem import problem_of
from muster._http.urls import connect_url, host_of
from muster._protocol import close_codes
from muster._protocol.constants import (
    MUSTER_2_SUBPROTOCOL,
)
from muster.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muster._connection.profile import DialOptions


DIAL_TIMEOUT = 20.0
"""From the dial to the mesh's answer to the handshake: twice the mesh's own deadline, for TCP and TLS."""
CLOCK_CORRECTION_MAX = 86_400.0
"""How far a proved mesh may correct this machine's clock, for one dial. A clock that is further off must be set."""


async def open_socket(options: DialOptions, mesh_key: str) -> WebSocket:
    """Open the socket of a dial, with its proof. Raises `EndConnection`."""
    url = options.url
    try:
        socket = await WebSocket.open(connect_url_of(options, mesh_key))
    except InvalidStatus as refused:
        answer = refused.response
        body = bytes(answer.body or b"")
        raise await _refused(url, mesh_key, answer.status_code, answer.headers, body) from None
    except (OSError, InvalidHandshake) as error:
        raise failed(failure_of_error(url, error, DIAL_TIMEOUT)) from None
    if socket.subprotocol != MUSTER_2_SUBPROTOCOL:
        await socket.close(close_codes.NORMAL, "")
        text = f"{url} is no Muster mesh: its WebSocket does not speak {MUSTER_2_SUBPROTOCOL}"
        raise failed(ConnectFailure("not_a_mesh", text))
    return socket


def connect_url_of(options: DialOptions, mesh_key: str) -> str:
    """Return the URL of a dial."""
    keys = options.profile.keys
    public_key = bytes.fromhex(mesh_key)
    at = int(time.time() + options.clock_offset)
    proof = make_connect_proof(keys.private_key, public_key, host_of(options.url), at)
    if proof is None:
        raise unproved(f"the mesh key {mesh_key} is not a usable key")
    query = {
        "peer": keys.id,
        "pub": keys.public_key.hex(),
        "mesh": peer_id_of(public_key),
        "t": at,
        "proof": proof,
    }
    return f"{connect_url(options.url)}?{urlencode(query)}"


async def _refused(
    url: str, mesh_key: str, status: int, headers: Mapping[str, str], body: bytes
) -> EndConnection:
    """Return how the connection ends whose upgrade was refused.

    The answer is not authenticated, so it may only make the peer stop or try again.
    """
    problem = problem_of(body)
    if problem is None:
        return failed(failure_of_answer(url, status, headers, body))
    code, detail = problem["code"], problem["detail"]
    if code == "clock_skew":
        return EndConnection(await _corrected(url, mesh_key), close_codes.NORMAL, "")
    if code == "mesh_key_unknown":
        text = f"the mesh does not have the key {mesh_key}: {detail}"
        return EndConnection(Refused(PeerError("mesh_key_mismatch", text)), close_codes.NORMAL, "")
    failure = failure_of_answer(url, status, headers, body)
    end = Dropped(close_codes.ABNORMAL, redact(f"{code}: {detail}"), failure)
    return EndConnection(end, close_codes.NORMAL, "")


async def _corrected(url: str, mesh_key: str) -> ConnectionEnd:
    """Return the end of a dial whose time was refused: only the time that the mesh proves with its key corrects the clock."""
    at = await fetch_proved_time(url, mesh_key)
    if at is None:
        return skewed("the server refused this machine's time and proved none of its own")
    offset = at - time.time()
    if abs(offset) <= CLOCK_CORRECTION_MAX:
        return Skewed(offset, "the mesh's clock differs from this machine's")
    hours = round(abs(offset) / 3_600)
    direction = "behind" if offset > 0 else "ahead of"
    return skewed(f"this machine's clock is {hours} h {direction} the mesh's; set it")
