"""Acts on many tasks, in as many requests as they need. Each may be repeated: a task is not changed twice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from muster._answers.bulk import BulkView
from muster._client.options import check_options, given_only, time_text
from muster._client.task_options import BulkOutcome, SelectionFilter
from muster._http.api import ApiRequest
from muster.errors import OptionsError

if TYPE_CHECKING:
    from muster._http.api import Api

_IDS_MAX = 1_000
"""Tasks that one request may name."""
_IDS_SHOWN = 20
_TIMES = ("created_after", "created_before", "ended_after", "ended_before")


def filter_body(method: str, selection: Sequence[str] | Mapping[str, Any]) -> list[dict[str, Any]]:
    """The selection as bodies of requests: one, or as many as the IDs need.

    A misspelled condition would select more tasks than meant: it is refused.
    """
    if isinstance(selection, Mapping):
        check_options(f"the selection of {method}", selection, SelectionFilter)
        return [{"filter": _with_times(selection)}]
    if isinstance(selection, str) or not isinstance(selection, Sequence):
        raise OptionsError(f"{method} takes a list of task IDs, or a dict of conditions")
    ids = list(dict.fromkeys(selection))
    return [{"ids": ids[at : at + _IDS_MAX]} for at in range(0, len(ids), _IDS_MAX)]


def retry_body(options: Mapping[str, Any]) -> dict[str, Any]:
    """What a retry changes."""
    return given_only({name: options.get(name) for name in ("max_attempts", "deadline_seconds")})


def failures_query(conditions: Mapping[str, Any]) -> dict[str, Any]:
    """Which failures to group."""
    return _with_times(conditions)


async def act_on_many(
    api: Api,
    path: str,
    parts: Sequence[Mapping[str, Any]],
    more: Mapping[str, Any],
    options: Mapping[str, Any],
) -> BulkOutcome:
    """Repeat the request until the mesh has done all."""
    done = BulkOutcome(0, (), ())
    on_progress = options.get("on_progress")
    for part in parts:
        cursor: str | None = None
        while True:
            body = {**part, **more, "dry_run": options.get("dry_run", False)}
            if cursor is not None:
                body["cursor"] = cursor
            request = ApiRequest(
                method="POST", path=path, content=json.dumps(body).encode(), idempotent=True
            )
            piece = await api.read(BulkView, request)
            done = BulkOutcome(
                done.count + piece.count,
                (*done.task_ids, *piece.task_ids)[:_IDS_SHOWN],
                (*done.skipped, *piece.skipped),
            )
            if on_progress is not None:
                on_progress(done)
            cursor = piece.next_cursor
            if cursor is None:
                break
    return done


def _with_times(conditions: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: time_text(value) if name in _TIMES else value for name, value in conditions.items()
    }
