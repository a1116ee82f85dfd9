"""Requests with a body."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from muster._http.api import ApiRequest

if TYPE_CHECKING:
    from collections.abc import Mapping


def with_body(method: str, path: str, body: Mapping[str, Any], **more: Any) -> ApiRequest:
    """A request whose body are these members."""
    text = json.dumps(body, default=list, allow_nan=False)
    return ApiRequest(method=method, path=path, content=text.encode(), **more)


def keep_tasks_query(options: Mapping[str, Any]) -> dict[str, str]:
    """Whether a revocation leaves tasks."""
    return {"keep_tasks": "true"} if options.get("keep_tasks") else {}
