"""Verifies the callbacks of a mesh."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

from muster._answers.read import Mismatch, read
from muster._answers.task_events import CallbackEvent
from muster._base.bytes import utf8_or_none
from muster._json import read_json
from muster._protocol.constants import JSON_DEPTH_MAX
from muster._webhooks.standard import mac_key, verify
from muster.errors import MusterApiError, OptionsError

_BAD_REQUEST = 400


def verify_callback(
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    body: bytes | str,
    secret: str | Iterable[str],
    *,
    now: float | None = None,
) -> CallbackEvent:
    """Verify a callback and return its event.

    - `headers`: the request's headers, in upper or lower case, as every framework has them (or as pairs, as WSGI and ASGI servers do).
    - `body`: the raw body as received. JSON that was parsed and serialized again does not verify.
    - `secret`: the secret given with the task, or that of the token and this receiver (`mesh.callbacks.secret(url)`). Of several, one must
      match: while a secret or a token is being replaced, give the old and the new one.
    - `now`: the time to verify the timestamp against, in Unix seconds; default: this machine's clock.

    Raises `MusterApiError` with the code `signature_missing`, `signature_invalid`, `signature_stale` (signed more than 5 minutes ago) or
    `invalid_request`, and `OptionsError` for arguments that can verify nothing. Answer with 2xx once the event is stored: until then the
    mesh sends it again. Duplicates are possible: compare `event.data.id` and `event.data.retries`.
    """
    keys = [mac_key(_text(each, "secret")) for each in _secrets(secret)]
    if not keys:
        raise OptionsError("secret: the list is empty; give one secret")
    at = time.time() if now is None else now
    if not math.isfinite(at):
        raise OptionsError("`now` is not a time in Unix seconds")
    content = _content(body)
    named = _by_name(headers)
    delivery_id = verify(keys, named.get, content, at)
    try:
        value = read_json(utf8_or_none(content) or "", JSON_DEPTH_MAX, ("data", "result"))
        event = read(CallbackEvent, value)
    except (Mismatch, ValueError):
        event = None
    if event is not None and _delivery_id_of(event) == delivery_id:
        return event
    detail = "the signature is valid, but the body is not a callback of a task"
    raise MusterApiError("invalid_request", _BAD_REQUEST, detail)


def _content(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    # A framework's parsed JSON: its text is lost, and so nothing could verify.
    raise OptionsError(f"`body` is the raw body as received, bytes or str, not {_kind_of(body)}")


def _secrets(secret: Any) -> Iterable[Any]:
    is_list = isinstance(secret, Iterable) and not isinstance(secret, str | bytes)
    return secret if is_list else [secret]


def _text(value: Any, what: str) -> str:
    if isinstance(value, str):
        return value
    raise OptionsError(f"`{what}` is a string or a list of strings")


def _kind_of(value: Any) -> str:
    return "None" if value is None else f"of the type {type(value).__name__}"


def _by_name(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers by their names in lower case. What occurs twice is joined, and then matches nothing."""
    try:
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        given = [(name, value) for name, value in pairs]
    except (TypeError, ValueError):
        text = f"`headers` is a mapping or pairs of strings, not {_kind_of(headers)}"
        raise OptionsError(text) from None
    named: dict[str, str] = {}
    for given_name, given_value in given:
        name, value = _header_text(given_name).lower(), _header_text(given_value)
        named[name] = f"{named[name]}, {value}" if name in named else value
    return named


def _header_text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _delivery_id_of(event: CallbackEvent) -> str:
    """Each end of a task is an event of its own: that after the second retry has the ID of the task and `-retry-2`."""
    retries = event.data.retries or 0
    return event.data.id if retries == 0 else f"{event.data.id}-retry-{retries}"
