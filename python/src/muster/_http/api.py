"""Requests to the HTTP API of a mesh: retried where that is safe, bounded, and never redirected."""

from __future__ import annotations

import asyncio
import re
import warnings
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import httpx

from muster._answers.read import Mismatch, read
from muster._base.time_limit import TimeLimit
from muster._http.problem import api_error
from muster._http.retry import with_retries
from muster._http.unreachable import reason_of
from muster._http.urls import api_base
from muster._json import read_json
from muster._json.cut import is_cut_json
from muster.errors import MissingCellsWarning, MusterApiError, OptionsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from types import TracebackType

    from typing_extensions import Self

T = TypeVar("T")

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


def segment(text: object) -> str:
    """Return one segment of a path, escaped: an ID from the caller can't change the path."""
    if not isinstance(text, str) or text.strip(".") == "":
        raise OptionsError(f"{text!r:.80} is no ID and no name")
    return quote(text, safe="")


def new_http_client() -> httpx.AsyncClient:
    """Return a client without a limit of connections: each call that waits for a task holds one."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    return httpx.AsyncClient(follow_redirects=False, limits=limits)


class Api:
    """Sends requests to one mesh. Raises `MusterApiError`."""

    def __init__(
        self, url: str, token: str | None = None, client: httpx.AsyncClient | None = None
    ) -> None:
        if token is not None and not _TOKEN.fullmatch(token):
            raise OptionsError("the token has a character that no token has, such as a space")
        self.base = api_base(url)
        self._token = token
        self._client = client or new_http_client()
        self._is_own = client is None
        self._loop: asyncio.AbstractEventLoop | None = None

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

    async def read(self, kind: type[T], request: ApiRequest) -> T:
        """Return the answer as an instance of a class of `muster._answers`."""

        def read_answer(answer: Answer) -> T:
            try:
                value = read(kind, self._json_of(answer, request))
            except Mismatch as mismatch:
                raise self._no_mesh(request, answer.status, str(mismatch)) from None
            missing = getattr(value, "missing_cells", None)
            if missing:
                cells = ", ".join(str(cell) for cell in missing)
                text = f"cells {cells} of {self.base} do not answer: what they have is missing"
                warnings.warn(text, MissingCellsWarning, stacklevel=2)
            return value

        return await self._with_retries(request, read_answer)

    async def json(self, request: ApiRequest) -> dict[str, Any]:
        """Return the JSON object of the answer."""
        return await self._with_retries(request, lambda answer: self._json_of(answer, request))

    async def send(self, request: ApiRequest) -> Answer:
        """Return the successful answer."""
        return await self._with_retries(request, lambda answer: answer)

    async def remove(
        self, path: str, query: Mapping[str, str | int | float | None] | None = None
    ) -> None:
        """Remove something. A mesh answers that with 204 and nothing: whatever else answers has removed nothing."""
        request = ApiRequest(method="DELETE", path=path, query=query or {})
        answer = await self.send(request)
        if answer.status != httpx.codes.NO_CONTENT:
            raise self._no_mesh(request, answer.status, f"HTTP {answer.status}")

    @asynccontextmanager
    async def stream(self, request: ApiRequest) -> AsyncIterator[httpx.Response]:
        """Open a successful answer whose body the caller reads. It is not retried, and its body has no time limit."""
        self._expect_usable()
        context = self._client.stream(**self._options(request, request.poll))
        try:
            async with TimeLimit(request.timeout):
                response = await context.__aenter__()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, asyncio.TimeoutError) as error:
            raise self._unreachable(error) from error
        try:
            if not response.is_success:
                body = await _bounded(response, PROBLEM_BYTES_MAX)
                raise api_error(response.status_code, response.headers, body, self.base)
            yield response
        finally:
            await context.__aexit__(None, None, None)

    async def _with_retries(self, request: ApiRequest, reader: Callable[[Answer], T]) -> T:
        idempotent = request.idempotent
        if idempotent is None:
            idempotent = request.method in ("GET", "PUT")
        if not idempotent:
            return reader(await self._once(request, None))

        async def work(left: float | None) -> T:
            return reader(await self._once(request, left))

        wait = request.wait if request.poll is None else request.poll
        return await with_retries(work, outage=request.outage, wait=wait)

    def _expect_usable(self) -> None:
        """Connections belong to an event loop. Otherwise asyncio or httpx raises a `RuntimeError` that names neither."""
        if self._client.is_closed:
            raise OptionsError(f"this client of {self.base} is closed; make a new one")
        loop = asyncio.get_running_loop()
        if self._loop not in (None, loop):
            text = f"this client of {self.base} was used in another event loop; make one in each loop (asyncio.run starts a new loop)"
            raise OptionsError(text)
        self._loop = loop

    async def _once(self, request: ApiRequest, outage_left: float | None) -> Answer:
        self._expect_usable()
        if outage_left is None:
            timeout = request.timeout + (request.poll or request.wait)
        else:
            # A mesh that comes back is asked to answer at once.
            request = replace(request, poll=None)
            timeout = min(request.timeout, max(outage_left, OUTAGE_LAST_TRY))
        try:
            async with TimeLimit(timeout):
                answer, is_success = await self._exchange(request)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, asyncio.TimeoutError) as error:
            raise self._unreachable(error) from error
        if is_success:
            return answer
        raise api_error(answer.status, answer.headers, answer.body, self.base)

    async def _exchange(self, request: ApiRequest) -> tuple[Answer, bool]:
        async with self._client.stream(**self._options(request, request.poll)) as response:
            max_bytes = request.max_bytes if response.is_success else PROBLEM_BYTES_MAX
            body = await _bounded(response, max_bytes)
            # Where an answer has no length, its end may be that of the connection.
            has_end = {"content-length", "transfer-encoding"} & set(response.headers)
            if not has_end and is_cut_json(response.headers.get("content-type", ""), body):
                raise MusterApiError("unreachable", 0, f"{self.base} broke off its answer")
            return Answer(response.status_code, response.headers, body), response.is_success

    def _options(self, request: ApiRequest, poll: float | None) -> dict[str, Any]:
        query = {
            name: _query_text(value) for name, value in request.query.items() if value is not None
        }
        if poll is not None:
            query["wait"] = _query_text(poll)
        headers = {"accept": "application/json", **request.headers}
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token}"
        if request.content is not None:
            headers["content-type"] = request.content_type
        return {
            "method": request.method,
            "url": self.base + request.path,
            "params": query,
            "headers": headers,
            "content": request.content,
            "timeout": None,  # the whole exchange has one
            # The API has no redirects, and following one would send the token to another server.
            "follow_redirects": False,
        }

    def _json_of(self, answer: Answer, request: ApiRequest) -> dict[str, Any]:
        try:
            value = read_json(answer.body.decode("utf-8"), _ANSWER_DEPTH_MAX, *request.exact)
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
        raise self._no_mesh(request, answer.status, "no JSON object")

    def _no_mesh(self, request: ApiRequest, status: int, what: str) -> MusterApiError:
        detail = f"{self.base} is no Muster mesh: its answer to {request.path} is not that of one ({what})"
        return MusterApiError("invalid_response", status, detail)

    def _unreachable(self, error: BaseException) -> MusterApiError:
        return MusterApiError("unreachable", 0, f"{self.base} does not answer: {reason_of(error)}")


def _query_text(value: str | float) -> str:
    """The text of a value in a query. A mesh reads decimal digits, and `str` writes `1e-05`."""
    return format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)


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
