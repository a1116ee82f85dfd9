"""Lists that arrive in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from muster._http.api import ApiRequest

if TYPE_CHECKING:
    from muster._http.api import Api

T = TypeVar("T")
P = TypeVar("P")

FetchPage = Callable[[str | None], Awaitable[tuple[Sequence[T], str | None]]]


class Listing(Generic[T]):
    """The items of a list. `async for` requests a page when it reaches it; `to_list` requests all pages."""

    def __init__(self, fetch_page: FetchPage[T]) -> None:
        self._fetch_page = fetch_page

    async def __aiter__(self) -> AsyncIterator[T]:
        cursor: str | None = None
        while True:
            items, cursor = await self._fetch_page(cursor)
            for item in items:
                yield item
            if cursor is None:
                return

    async def to_list(self) -> list[T]:
        """Every item, in order."""
        return [item async for item in self]


def listing(
    api: Api,
    kind: type[P],
    path: str,
    query: Mapping[str, Any],
    items_of: Callable[[P], Sequence[T]],
) -> Listing[T]:
    """The listing of an endpoint. An answer without `next_cursor` is the last."""

    async def fetch_page(cursor: str | None) -> tuple[Sequence[T], str | None]:
        page = await api.read(kind, ApiRequest(path=path, query={**query, "cursor": cursor}))
        return items_of(page), getattr(page, "next_cursor", None)

    return Listing(fetch_page)
