"""How a result that does not simply fit into a message is sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from muster._work.outcome import (
    Failed,
    InMessage,
    Outcome,
    Returned,
    TooLarge,
    Uploaded,
    failed,
    prepare,
)
from muster._work.upload import Lost, Upload, UploadFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from muster._crypto.result_tickets import ResultContent
    from muster._protocol.inbound_types import TaskOffer
    from muster._work.runs import Run

UploadResult: TypeAlias = "ResultContent | Lost | UploadFailed | None"


async def outcome_to_send(
    run: Run,
    offer: TaskOffer,
    returned: Returned,
    upload: Callable[[Upload], Awaitable[UploadResult]],
    is_current: Callable[[], bool],
) -> Outcome | Lost | None:
    """Seal a result, and upload it if it is large; the session then names its bytes. None if the attempt has ended meanwhile."""
    sendable = await _prepared(offer, returned)
    if not isinstance(sendable, TooLarge):
        return sendable
    while is_current():
        fence = run.fence
        outcome = await upload(Upload(run.task_id, fence, run.upload_secret or "", sendable.data))
        is_stored = outcome is not None and not isinstance(outcome, Lost | UploadFailed)
        # The disk was full, or a newer attempt has taken over the work: upload again, under its fence.
        if outcome is None or (run.fence != fence and not is_stored):
            continue
        if isinstance(outcome, Lost):
            return outcome
        if isinstance(outcome, UploadFailed):
            return failed(outcome.reason, retry=True)
        return Uploaded(outcome, sendable.sealed)
    return None


async def _prepared(offer: TaskOffer, returned: Returned) -> InMessage | TooLarge | Failed:
    """Sealing takes a while: it is done in a thread."""
    can_upload = offer.upload is not None
    try:
        return await asyncio.to_thread(prepare, returned.json, offer.seal_to, can_upload=can_upload)
    except Exception as error:  # noqa: BLE001 - an attempt whose result can't be sent must not stay open
        return failed(f"the result can't be sent: {error!r}", retry=True)
