"""What a program says of a task that it submits, as it is sent."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from muster._client.options import given_only, time_text
from muster._crypto.identity import public_key_hex
from muster._json import JsonFlaw, json_of_value
from muster._protocol.constants import VALUE_DEPTH_MAX
from muster.errors import OptionsError

_IDEMPOTENCY_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_HEADER = re.compile(r"[ -~]{1,8192}")

_REQUIREMENTS = ("capabilities", "peer_id", "min_score", "avoid", "role", "near")
_PLAIN = (
    "backoff",
    "priority",
    "concurrency",
    "deadline_seconds",
    "max_attempts",
    "lease_seconds",
    "attempt_timeout_seconds",
    "max_interruptions",
    "callback",
)


def submission(kind: str, payload: Any, options: Mapping[str, Any], root: str = "payload") -> str:
    """The body of `POST /v1/tasks` as JSON. Options that are not given are left out, so that the mesh's defaults apply.

    Raises `OptionsError` if JSON would change the payload in silence.
    """
    not_before, seal_to = options.get("not_before"), options.get("seal_to")
    members = {
        "kind": kind,
        "requirements": _lists(given_only({name: options.get(name) for name in _REQUIREMENTS})),
        **given_only({name: options.get(name) for name in _PLAIN}),
        "not_before": None if not_before is None else time_text(not_before),
        "seal_to": None if seal_to is None else public_key_hex(seal_to, "`seal_to`"),
    }
    body = json_text(given_only(members), "options")
    return f'{body[:-1]},"payload":{json_text(payload, root)}}}'


def json_text(value: Any, root: str, depth: int = VALUE_DEPTH_MAX) -> str:
    """A caller's value as it is sent. Raises `OptionsError` that names the place of what JSON would change in silence."""
    try:
        return json_of_value(value, root, depth)
    except JsonFlaw as flaw:
        raise OptionsError(str(flaw)) from None


def idempotency_key_of(given: str | None) -> str:
    """The key of a submission: the caller's, or a new one. Raises `OptionsError` if it is not valid."""
    if given is None:
        return str(uuid.uuid4())
    # White space around it does not count, as HTTP has it for the value of a header.
    key = given.strip()
    if _IDEMPOTENCY_KEY.fullmatch(key):
        return key
    wanted = "an idempotency key is 1 to 255 printable ASCII characters, spaces included"
    raise OptionsError(f"{wanted}; not {given!r:.300}")


def trace_headers(options: Mapping[str, Any]) -> dict[str, str]:
    """A trace as headers. The mesh ignores what is not valid; what can't be a header is left out here."""
    given = {name: options.get(name) for name in ("traceparent", "tracestate")}
    return {
        name: text
        for name, text in given.items()
        if isinstance(text, str) and _HEADER.fullmatch(text)
    }


def _lists(members: dict[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
        for name, value in members.items()
    }
