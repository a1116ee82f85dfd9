"""The place in the list at which a page ends."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muster._answers.discovery import PointerList

_NOT_AT_ITS_END = "the next page does not begin where this one ends"


def position_fault(query: Mapping[str, Any], page: PointerList) -> str | None:
    """What is wrong with the place at which a page ends; None when nothing is.

    Positions are not signed: a source that repeats a page, or names a place that it has not reached, could keep a reader reading for ever.
    """
    if query.get("since") is None:
        return _first_fault(str(query.get("cursor") or ""), page)
    return _change_fault(int(query["since"]), page)


def _first_fault(cursor: str, page: PointerList) -> str | None:
    seq, ids = str(page.checkpoint.seq), [each.id for each in page.pointers]
    if page.since != seq:
        return f"the page names the position {page.since}, and not {seq}"
    if any(following <= before for before, following in pairwise([cursor, *ids])):
        return "the page is not sorted, or does not begin where the one before ended"
    is_at_end = page.next_cursor is None or (ids and page.next_cursor == ids[-1])
    return None if is_at_end else _NOT_AT_ITS_END


def _change_fault(after: int, page: PointerList) -> str | None:
    seq = page.checkpoint.seq
    if page.next_cursor is None:
        if page.since == str(seq):
            return None
        return f"the last changes end at {page.since}, and not at {seq}"
    seqs = [each.seq for each in page.pointers] + [each.seq for each in page.removed]
    end = max(seqs, default=-1)
    is_at_end = page.next_cursor == page.since == str(end) and after < end <= seq
    return None if is_at_end else _NOT_AT_ITS_END
