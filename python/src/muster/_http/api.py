"""Requests to the HTTP API of a mesh: retried where that is safe, bounded, and never redirected."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from muster._http.problem import api_error
from muster._http.retry import with_retries
from muster._http.urls import api_base
from muster._json import read_json
from muster.errors import MusterApiError, OptionsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

REQUEST_TIMEOUT = 30.0
"""How long a request may take beyond the time that it asked the mesh to wait."""
OUTAGE_LAST_TRY = 1.0
"""The last try within an outage may take this long."""
ANSWER_BYTES_MAX = 16 * 1_048_576
"""The largest answer that is read, except results and records: far above a page of tasks or pointers."""
PROBLEM_BYTES_MAX = 65_536
_ANSWER_DEPTH_MAX = 64
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One request. Times are seconds."""

    path: str
    """Below the mesh's base URL, without a leading slash."""
    method: str = "GET"
    query: Mapping[str, str | int | float | None] = field(default_factory=dict)
    content: bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    idempotent: bool | None = None
    """Whether the request may be retried; default: GET and PUT may."""
    poll: float | None = None
    """How long the request asks the mesh to wait before it answers. During an outage the mesh is asked to answer at once."""
    wait: float = 0.0
    """How long the mesh may wait because the request says so in another way."""
    outage: float = 0.0
    """The call goes on while the mesh gives no answer, for this long; 0: the request is retried a few times."""
    timeout: float = REQUEST_TIMEOUT
    max_bytes: int = ANSWER_BYTES_MAX
    exact: tuple[tuple[str, ...], ...] = ()
    """The members of the answer that keep their text."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def segment(text: str) -> str:
    """Return one segment of a path, escaped: an ID from the caller can't change the path."""
    return quote(text, safe="")


class Api:
    """Sends requests to one mesh. Raises `MusterApiError`."""

    def __init__(
        self, url: str, token: str | None = None, client: httpx.AsyncClient | None = None
    ) -> None:
        if token is not None and not _TOKEN.fullmatch(token):
            raise OptionsError("the token has a character that no token has, such as a space")
        self.base = api_base(url)
        self._token = token
        self._client = client or httpx.AsyncClient(follow_redirects=False)
        self._is_own = client is None

    def __repr__(self) -> str:
        return f"Api({self.base!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._is_own:
            await self._client.aclose()

    async def json(self, request: ApiRequest) -> dict[str, Any]:
        """Return the JSON object of the answer."""
        answer = await self.send(request)
        try:
            value = read_json(answer.body.decode("utf-8"), _ANSWER_DEPTH_MAX, *request.exact)
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
        detail = f"{self.base} is no Muster mesh: its answer to {request.path} is no JSON object"
        raise MusterApiError("invalid_response", answer.status, detail)

    async def send(self, request: ApiRequest) -> Answer:
        """Return the successful answer."""
        idempotent = request.idempotent
        if idempotent is None:
            idempotent = request.method in ("GET", "PUT")
        if not idempotent:
            return await self._once(request, None)
        wait = request.wait if request.poll is None else request.poll
        return await with_retries(
            lambda left: self._once(request, left), outage=request.outage, wait=wait
        )

    async def _once(self, request: ApiRequest, outage_left: float | None) -> Answer:
        poll = request.poll if outage_left is None else None
        if outage_left is None:
            timeout = request.timeout + (poll or request.wait)
        else:
            timeout = min(request.timeout, max(outage_left, OUTAGE_LAST_TRY))
        try:
            answer, is_success = await asyncio.wait_for(self._exchange(request, poll), timeout)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, asyncio.TimeoutError) as error:
            raise MusterApiError(
                "unreachable", 0, f"{self.base} does not answer{_reason(error)}"
            ) from error
        if is_success:
            return answer
        raise api_error(answer.status, answer.headers, answer.body, self.base)

    async def _exchange(self, request: ApiRequest, poll: float | None) -> tuple[Answer, bool]:
        query = {name: value for name, value in request.query.items() if value is not None}
        if poll is not None:
            query["wait"] = poll
        headers = {"accept": "application/json", **request.headers}
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token}"
        if request.content is not None:
            headers["content-type"] = request.content_type
        async with self._client.stream(
            request.method,
            self.base + request.path,
            params=query,
            headers=headers,
            content=request.content,
            timeout=None,  # the whole exchange has one
            follow_redirects=False,
        ) as response:
            max_bytes = request.max_bytes if response.is_success else PROBLEM_BYTES_MAX
            body = await _bounded(response, max_bytes)
            answer = Answer(response.status_code, response.headers, body)
            return answer, response.is_success


async def _bounded(response: httpx.Response, max_bytes: int) -> bytes:
    """Return the body of an answer, which may be any server's: it is given up once it has more bytes."""
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > max_bytes:
            if not response.is_success:
                return b""
            detail = f"the answer has more than {max_bytes} bytes, the limit"
            raise MusterApiError("invalid_response", response.status_code, detail)
    return bytes(body)


def _reason(error: BaseException) -> str:
    """Return what the system says, in the form of a sentence's end."""
    text = str(error)[:200]
    return f": {text}" if text and not isinstance(error, asyncio.TimeoutError) else " in time"
