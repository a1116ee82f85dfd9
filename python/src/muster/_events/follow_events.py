"""Follows the events of a mesh: opens the stream again where it was whenever it ends."""

from __future__ import annotations

import asyncio
import codecs
import json
import random
import time
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import httpx

from muster._answers.events import EventGap, EventView, StreamEnd
from muster._answers.read import Mismatch, read, reader_of
from muster._base.backoff import backoff_pause, equal_jitter, full_jitter
from muster._base.time_limit import TimeLimit
from muster._events.options import GapEvent
from muster._events.sse import MessageTooLongError, SseParser
from muster._http.api import ApiRequest
from muster._http.retry import RETRY_BASE, RETRY_CAP, with_retries
from muster.errors import MusterApiError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from muster._events.options import MeshEvent
    from muster._events.sse import SseMessage
    from muster._http.api import Api

EVENT_SILENCE_MAX = 45.0
"""A stream of events is given up of which nothing was heard for three of its heartbeats."""
_STABLE_STREAM_MIN = 5.0
"""A stream that ends sooner did not work: the next one waits for longer."""


def _nothing(*_: Any) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Follow:
    """What is followed, and who is told."""

    query: Mapping[str, str | None]
    outage: float
    after: str | None = None
    on_open: Callable[[], None] = field(default=_nothing)
    """Called when a stream is open."""
    on_position: Callable[[str], None] = field(default=_nothing)
    """Called with the position after each event, also of events that the filter leaves out."""
    on_break: Callable[[], None] = field(default=_nothing)
    """Called when a stream has ended or could not be opened, before the next attempt."""


async def follow_events(api: Api, follow: Follow) -> AsyncGenerator[MeshEvent, None]:
    """Yield events.

    Raises what the mesh answers if it refuses the stream, and `MusterApiError` (`unreachable`) when it gives no answer for
    `outage`.
    """
    after = follow.after
    failures = 0
    while True:
        opened_at = time.monotonic()
        async with AsyncExitStack() as stack:
            response = await _open(api, follow, after, stack)
            messages = await stack.enter_async_context(aclosing(_messages(response)))
            is_open = False
            async for message in messages:
                after = message.id or after
                event = _event_of(message)
                if event is not None:
                    yield event
                if message.id is not None:
                    follow.on_position(message.id)
                if not is_open:
                    follow.on_open()
                is_open = True
        follow.on_break()
        is_stable = time.monotonic() - opened_at >= _STABLE_STREAM_MIN
        failures = 0 if is_stable else failures + 1
        await asyncio.sleep(_stream_pause(failures))


def _stream_pause(failures: int) -> float:
    """Many clients of a mesh that restarts do not come back at the same moment."""
    pause = backoff_pause(RETRY_BASE, RETRY_CAP, failures)
    chance = random.random()  # noqa: S311 - jitter
    return full_jitter(pause, chance) if failures <= 1 else equal_jitter(pause, chance)


async def _open(
    api: Api, follow: Follow, after: str | None, stack: AsyncExitStack
) -> httpx.Response:
    request = ApiRequest(
        path="v1/events",
        query={**follow.query, "after": after},
        headers={"accept": "text/event-stream"},
        timeout=EVENT_SILENCE_MAX,
    )

    async def once(_: float | None) -> httpx.Response:
        try:
            return await stack.enter_async_context(api.stream(request))
        except MusterApiError:
            follow.on_break()
            raise

    response = await with_retries(once, outage=follow.outage)
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        return response
    raise _invalid(response.status_code, "the answer is no stream of events")


async def _messages(response: httpx.Response) -> AsyncGenerator[SseMessage, None]:
    """The messages up to the end of the stream, however it comes about."""
    parser = SseParser()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    body = cast("AsyncGenerator[bytes, None]", response.aiter_bytes())
    async with aclosing(body) as parts:
        while True:
            try:
                # Not while the program handles an event, which may take its time.
                async with TimeLimit(EVENT_SILENCE_MAX):
                    part = await anext(parts)
            except (StopAsyncIteration, httpx.HTTPError, OSError, asyncio.TimeoutError):
                return
            try:
                messages = parser.push(decoder.decode(part))
            except MessageTooLongError as error:
                raise _invalid(200, str(error)) from None
            for message in messages:
                yield message


def _event_of(message: SseMessage) -> MeshEvent | None:
    """The event of a message; None for a position, and for events that a newer mesh has.

    Raises if the mesh ends the stream for good.
    """
    if message.data is None:
        return None
    try:
        data = json.loads(message.data)
    except (ValueError, RecursionError):
        data = None
    if message.event == "end":
        raise _end_of(data)
    if message.event == "gap":
        try:
            gap = read(EventGap, data)
        except Mismatch as mismatch:
            raise _invalid(200, str(mismatch)) from None
        return GapEvent(gap.until, gap.reason, gap.after)
    try:
        event: MeshEvent = reader_of(EventView)(data)  # type: ignore[assignment]
    except Mismatch:
        return None
    return event


def _end_of(data: object) -> MusterApiError:
    try:
        end = read(StreamEnd, data)
    except Mismatch:
        return MusterApiError("unauthorized", 401, "the mesh has ended the stream")
    return MusterApiError(end.code, 401, end.detail)


def _invalid(status: int, what: str) -> MusterApiError:
    return MusterApiError("invalid_response", status, f"v1/events: {what}")
