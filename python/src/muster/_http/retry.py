"""When a request is worth another try."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, TypeVar

from muster._base.backoff import backoff_pause, equal_jitter, full_jitter
from muster.errors import MusterApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

RETRIES = 4
RETRY_BASE = 0.2
RETRY_CAP = 5.0
RETRY_AFTER_MAX = 30.0
"""A request is not retried if `Retry-After` is longer than this: the caller decides."""

_PROXY_STATUSES = frozenset({502, 503, 504, 520, 521, 522, 523, 524})
"""Statuses of a proxy whose server does not answer; those from 520 are Cloudflare's."""
_OUTAGE_CODES = frozenset({"unreachable", "mesh_restarting", "unavailable"})
_BUSY_STATUSES = frozenset({0, 429, 503, 507})


def is_outage(error: BaseException) -> bool:
    """Whether the mesh did not answer, as during a restart. Whatever else it answers concerns the request."""
    if not isinstance(error, MusterApiError):
        return False
    is_proxy = error.code == "invalid_response" and error.status in _PROXY_STATUSES
    return error.code in _OUTAGE_CODES or is_proxy


def retry_delay(error: MusterApiError, attempts: int, chance: float) -> float | None:
    """Return the delay before an idempotent request is retried; None if it should not be.

    Only an unreachable or busy mesh (no answer, 429, 503, 507, a proxy's 502 and 504) is worth a retry. `attempts` counts the requests
    made so far.
    """
    if attempts > RETRIES or not (is_outage(error) or error.status in _BUSY_STATUSES):
        return None
    retry_after = error.retry_after or 0.0
    if retry_after > RETRY_AFTER_MAX:
        return None
    return retry_after + full_jitter(backoff_pause(RETRY_BASE, RETRY_CAP, attempts), chance)


def outage_delay(error: MusterApiError, failures: int, left: float, chance: float) -> float | None:
    """Return the delay during an outage of which `left` seconds may still pass; None if the call has to give up."""
    least = error.retry_after or 0.0
    if not is_outage(error) or left <= 0 or least > left:
        return None
    return min(left, least + equal_jitter(backoff_pause(RETRY_BASE, RETRY_CAP, failures), chance))


async def with_retries(
    work: Callable[[float | None], Awaitable[T]], *, outage: float = 0.0, wait: float = 0.0
) -> T:
    """Call `work` until it succeeds or its error should not be retried.

    `work` gets how long the mesh may still be silent, or None as long as it is not known to be out of reach. `outage`: the call goes on
    while the mesh gives no answer, for this long; 0 retries a few times only. `wait`: how long the mesh may be silent because it was
    asked to wait.
    """
    began: float | None = None
    failures = answers = 0
    while True:
        started_at = time.monotonic()
        try:
            return await work(None if began is None else began + outage - started_at)
        except MusterApiError as error:
            chance = random.random()  # noqa: S311 - jitter
            delay: float | None
            if outage > 0 and is_outage(error):
                now = time.monotonic()
                began = min(now, started_at + wait) if began is None else began
                failures += 1
                delay = outage_delay(error, failures, began + outage - now, chance)
            else:
                began = None
                failures = 0
                answers += 1
                delay = retry_delay(error, answers, chance)
            if delay is None:
                raise
        await asyncio.sleep(delay)
