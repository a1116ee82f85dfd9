"""What a mesh tells of itself over HTTP: the key that it claims, and the time that it proves."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime

import httpx

from muster._base.redact import redact_url
from muster._base.time_limit import TimeLimit
from muster._connection.failure import ConnectFailure, failure_of_answer, failure_of_error
from muster._crypto.identity import generate_identity, peer_id_of
from muster._crypto.key_proofs import verify_mesh_proof
from muster._http.api import PROBLEM_BYTES_MAX
from muster._http.urls import api_base
from muster._json import read_json

ANSWER_TIMEOUT = 5.0
"""After this time without an answer the reason counts as unknown."""
_KEY = re.compile(r"[0-9a-f]{64}")
_PROTOCOL = "muster/2"


class ConnectFailed(Exception):  # noqa: N818 - it carries the failure
    """No mesh answered."""

    def __init__(self, failure: ConnectFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


async def fetch_mesh_key(url: str) -> str:
    """Return the public key that the mesh at this URL claims, in hex. The handshake then proves that it holds this key."""
    base = api_base(url)
    status, headers, body = await _get(f"{base}v1/mesh", base)
    mesh = _object(body)
    key = mesh.get("public_key")
    if status != httpx.codes.OK or not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ConnectFailed(failure_of_answer(base, status, headers, body))
    protocols = mesh.get("protocols", [_PROTOCOL])
    if not isinstance(protocols, list) or _PROTOCOL not in protocols:
        text = f"the mesh at {redact_url(base)} does not speak {_PROTOCOL}; it speaks {str(protocols)[:200]}"
        raise ConnectFailed(ConnectFailure("version_unsupported", text))
    return key


async def fetch_proved_time(url: str, mesh_key: str) -> float | None:
    """Return the time (Unix seconds) that the mesh proves with its key; None if the server can't prove it."""
    base = api_base(url)
    public_key = bytes.fromhex(mesh_key)
    own = generate_identity()
    challenge = own.public_key.hex()
    query = f"challenge={challenge}&mesh={peer_id_of(public_key)}"
    try:
        status, _, body = await _get(f"{base}v1/mesh/proof?{query}", base)
    except ConnectFailed:
        return None
    answer = _object(body)
    signing_key, time, proof = (str(answer.get(name)) for name in ("signing_key", "time", "proof"))
    is_proved = verify_mesh_proof(own.private_key, public_key, challenge, signing_key, time, proof)
    if status != httpx.codes.OK or not is_proved:
        return None
    try:
        return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


async def _get(url: str, base: str) -> tuple[int, httpx.Headers, bytes]:
    try:
        async with TimeLimit(ANSWER_TIMEOUT):
            return await _exchange(url)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, asyncio.TimeoutError) as error:
        raise ConnectFailed(failure_of_error(base, error, ANSWER_TIMEOUT)) from error


async def _exchange(url: str) -> tuple[int, httpx.Headers, bytes]:
    async with (
        httpx.AsyncClient(timeout=None, follow_redirects=False) as client,  # noqa: S113 - see above
        client.stream("GET", url) as response,
    ):
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > PROBLEM_BYTES_MAX:
                body.clear()  # no mesh answers so much
                break
        return response.status_code, response.headers, bytes(body)


def _object(body: bytes) -> dict[str, object]:
    try:
        value = read_json(body.decode("utf-8"), 32)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
