"""The servers that publish a mesh's discovery: replicas and the mesh itself."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from muster._answers.discovery import PointerList, PointerView
from muster._answers.read import Mismatch, read
from muster._base.redact import redact_url
from muster._discovery.errors import DiscoveryError
from muster._discovery.list_position import position_fault
from muster._http.api import Answer, Api, ApiRequest, segment
from muster._json import read_json
from muster._stmf.errors import StmfError
from muster.errors import MusterApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    import httpx

    Check = Callable[[PointerList], None]
    Failures = list[tuple[str, BaseException]]

T = TypeVar("T")

SourceError = MusterApiError | DiscoveryError
_SOURCE_TIMEOUT = 10.0
"""How long a source of discovery may take to answer, and how long one that has just failed may take."""
_FAILED_SOURCE_TIMEOUT = 2.5
_FAILED_FOR = 10.0
"""For this time a source that failed is asked after the others, once."""
_DISTRUSTED_FOR = 60.0
"""For this time a source that withheld something is asked last."""
_BLOB_BYTES_MAX = 65_536
_ANOTHER_POINTER = "the source answered with another pointer than the one asked for"
_LIST_DEPTH_MAX = 64
_NOT_FOUND = 404
_UNAUTHORIZED = 401
_SERVER_ERRORS = 500


@dataclass(slots=True)
class _Source:
    """One server, and how it behaved lately."""

    url: str
    failed_until: float = 0.0
    distrusted_until: float = 0.0


@dataclass(frozen=True, slots=True)
class _SourceRequest:
    """How one request is sent to a source."""

    idempotent: bool
    timeout: float


class DiscoverySources:
    """Each is asked in turn until one gives an answer that can be used. One that has just failed is asked after the others."""

    def __init__(
        self,
        urls: Sequence[str],
        token: Callable[[], Awaitable[str | None]],
        client: httpx.AsyncClient,
    ) -> None:
        self._sources = [_Source(url) for url in urls]
        self._token = token
        self._client = client
        self._last_listed: _Source | None = None

    async def list(self, query: Mapping[str, Any], check: Check) -> PointerList:
        """One page of pointers. `check` raises if the page must not be accepted; then the next source is asked.

        It is also asked when a replica says that its copy may be outdated; if no source has a better one, the newest of these is returned.
        """
        newest: tuple[PointerList, _Source] | None = None
        failures: Failures = []
        for source, how in self._order():

            async def ask(api: Api, how: _SourceRequest = how) -> tuple[PointerList, bool]:
                page, is_stale = await _fetch_list(api, query, how)
                check(page)
                fault = position_fault(query, page)
                if fault is not None:
                    raise DiscoveryError("list_incomplete", fault)
                return page, is_stale

            answer = await self._ask(source, failures, ask)
            if answer is None:
                continue
            page, is_stale = answer
            if newest is None or _is_newer(page, newest[0]):
                newest = (page, source)
            if not is_stale:
                break
        if newest is None:
            raise sources_error(failures)
        self._last_listed = newest[1]
        return newest[0]

    def distrust_last(self) -> bool:
        """Ask the source of the last page after the others for a while: it withheld something. False when no other one is left."""
        now = time.monotonic()
        if self._last_listed is not None:
            self._last_listed.distrusted_until = now + _DISTRUSTED_FOR
        return any(source.distrusted_until <= now for source in self._sources)

    async def pointer(
        self, pointer_id: str, check: Check, accept: Callable[[PointerView], None]
    ) -> PointerView | None:
        """The pointer with this ID; None if no source has it, and at least one of these sources passes `check` with its list.

        "Not found" is also what a caller is told that may not read. `accept` raises if the pointer must not be accepted; then the next
        source is asked.
        """
        failures: Failures = []
        is_absent = False
        for source, how in self._order():

            async def ask(api: Api, how: _SourceRequest = how) -> tuple[PointerView | None]:
                path = f"v1/pointers/{segment(pointer_id)}"
                request = ApiRequest(path=path, idempotent=how.idempotent, timeout=how.timeout)
                pointer = await _none_if_missing(api.read(PointerView, request))
                if pointer is None:
                    page, _ = await _fetch_list(api, {"limit": 1}, how)
                    check(page)
                elif pointer.id == pointer_id:
                    accept(pointer)
                else:
                    raise DiscoveryError("identity_mismatch", _ANOTHER_POINTER)
                return (pointer,)

            found = await self._ask(source, failures, ask)
            if found is not None and found[0] is not None:
                return found[0]
            is_absent = is_absent or found is not None
        if is_absent:
            return None
        raise sources_error(failures)

    async def blob(self, blob_id: str, open_blob: Callable[[bytes], T]) -> T | None:
        """What `open_blob` makes of the blob with this ID; when it raises, the next source is asked. None if no source has the blob.

        A blob is asked for once at each source: the caller tries again later.
        """
        failures: Failures = []
        for source, how in self._order():

            async def ask(api: Api, how: _SourceRequest = how) -> tuple[T | None]:
                request = ApiRequest(
                    path=f"v1/blobs/{segment(blob_id)}",
                    headers={"accept": "application/octet-stream"},
                    idempotent=False,
                    timeout=how.timeout,
                    max_bytes=_BLOB_BYTES_MAX,
                )
                answer = await _none_if_missing(api.send(request))
                return (None if answer is None else open_blob(answer.body),)

            opened = await self._ask(source, failures, ask)
            if opened is not None and opened[0] is not None:
                return opened[0]
        if not failures:
            return None
        raise sources_error(failures)

    def _order(self) -> Sequence[tuple[_Source, _SourceRequest]]:
        """The sources in the order in which to ask them. Only requests to the last one are retried, unless it has just failed."""
        now = time.monotonic()
        ordered = sorted(
            self._sources,
            key=lambda source: (source.distrusted_until > now, source.failed_until > now),
        )
        order = []
        for index, source in enumerate(ordered):
            has_failed = source.failed_until > now
            timeout = _FAILED_SOURCE_TIMEOUT if has_failed else _SOURCE_TIMEOUT
            is_last = index == len(ordered) - 1
            order.append((source, _SourceRequest(is_last and not has_failed, timeout)))
        return order

    async def _ask(
        self,
        source: _Source,
        failures: Failures,
        request: Callable[[Api], Awaitable[T]],
    ) -> T | None:
        """The source's answer; None if it failed, which is added to `failures`."""
        token = await self._token()
        try:
            answer = await request(Api(source.url, token, self._client))
        except (MusterApiError, DiscoveryError, StmfError) as error:
            failures.append((source.url, error))
            if is_outage(error):
                source.failed_until = time.monotonic() + _FAILED_FOR
            return None
        source.failed_until = 0.0
        return answer


def is_outage(error: BaseException) -> bool:
    """Whether a source does not work at the moment, rather than having refused this request."""
    is_refusal = isinstance(error, MusterApiError) and 0 < error.status < _SERVER_ERRORS
    return not isinstance(error, DiscoveryError | StmfError) and not is_refusal


def sources_error(failures: Sequence[tuple[str, BaseException]]) -> BaseException:
    """The error of a request that no source answered: that of the source, or with several one that names each.

    A refused token comes first, because with new keys the request can succeed; otherwise it has the code of the last source.
    """
    errors = [error for _, error in failures]
    refused = [each for each in errors if is_unauthorized(each)]
    nothing = MusterApiError("unreachable", 0, "there is no source")
    chosen = (refused[:1] or errors[-1:] or [nothing])[0]
    if len(errors) == 1 or not errors:
        return chosen
    detail = "; ".join(f"{redact_url(url)}: {error}" for url, error in failures)
    if isinstance(chosen, DiscoveryError | StmfError):
        return DiscoveryError(chosen.code, detail)
    if isinstance(chosen, MusterApiError):
        return MusterApiError(chosen.code, chosen.status, detail, retry_after=chosen.retry_after)
    return chosen


def is_unauthorized(error: BaseException) -> bool:
    """Whether the token was refused."""
    return isinstance(error, MusterApiError) and error.status == _UNAUTHORIZED


async def _fetch_list(
    api: Api, query: Mapping[str, Any], how: _SourceRequest
) -> tuple[PointerList, bool]:
    request = ApiRequest(
        path="v1/pointers", query=query, idempotent=how.idempotent, timeout=how.timeout
    )
    answer = await api.send(request)
    return _list_of(answer), "muster-stale" in answer.headers


def _list_of(answer: Answer) -> PointerList:
    try:
        return read(PointerList, read_json(answer.body.decode(), _LIST_DEPTH_MAX))
    except (Mismatch, ValueError) as error:
        detail = f"v1/pointers: {error}"
        raise MusterApiError("invalid_response", answer.status, detail) from None


def _is_newer(page: PointerList, other: PointerList) -> bool:
    a, b = page.checkpoint, other.checkpoint
    return (a.seq, a.issued_at) > (b.seq, b.issued_at)


async def _none_if_missing(answer: Awaitable[T]) -> T | None:
    try:
        return await answer
    except MusterApiError as error:
        if error.status == _NOT_FOUND:
            return None
        raise
