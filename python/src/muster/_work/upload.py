"""Uploads a result that is too large for a message, over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from muster._crypto.result_tickets import (
    ResultContent,
    content_of,
    read_result_secret,
    upload_ticket,
)
from muster._crypto.sealed_stream import seal_stream
from muster._http.api import Api, ApiRequest
from muster._work.mesh_answers import ANSWER_RETRY_AFTER_MAX, ANSWER_RETRY_CAP
from muster.errors import MusterApiError, MusterError

if TYPE_CHECKING:
    from httpx import AsyncClient

UPLOAD_TIMEOUT = 300.0
"""A large result has up to 25 MiB: 5 min suffice at 0.7 Mbit/s."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Another peer holds the task now: there is nothing to send."""

    reason: str


@dataclass(frozen=True, slots=True)
class UploadFailed:
    """The upload failed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A result, and the attempt that it belongs to."""

    task_id: str
    fence: int
    secret: str
    """The secret that came with the offer."""
    data: bytes


async def upload_result(
    client: AsyncClient, url: str, upload: Upload
) -> ResultContent | Lost | UploadFailed | None:
    """Upload a result: sealed with the offer's secret, under a ticket for these bytes.

    Returns what the peer has to name in its session, which commits it; None if the disk of the mesh was full: the result is worth another
    try, until the attempt's time is over.
    """
    try:
        return await _upload(client, url, upload)
    except MusterApiError as error:
        if error.code == "storage_full":
            pause = min(error.retry_after or 0.0, ANSWER_RETRY_AFTER_MAX)
            await asyncio.sleep(ANSWER_RETRY_CAP + pause)
            return None
        return Lost(str(error)) if error.code == "lease_lost" else UploadFailed(str(error))
    except MusterError as error:
        return UploadFailed(str(error))


async def _upload(client: AsyncClient, url: str, upload: Upload) -> ResultContent:
    secret = read_result_secret(upload.secret)
    if secret is None:
        text = "the mesh's offer has no secret for an upload: update the mesh"
        raise MusterApiError("invalid_response", 0, text)
    # 25 MiB take a while to hash and to seal.
    content = await asyncio.to_thread(content_of, upload.data)
    sealed = await asyncio.to_thread(seal_stream, upload.data, secret.secret, "upload")
    api = Api(url, upload_ticket(secret, content), client)
    await api.send(
        ApiRequest(
            method="PUT",
            path=f"v1/task-results/{upload.task_id}/{upload.fence}",
            content=sealed,
            content_type="application/octet-stream",
            timeout=UPLOAD_TIMEOUT,
        )
    )
    return content
