"""The error of an answer that is no success."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from muster._json import read_json
from muster._protocol.constants import RETRY_AFTER_SECONDS_MAX
from muster.errors import MusterApiError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")


def problem_of(body: bytes) -> dict[str, Any] | None:
    """Return the problem document of a body; None if it is none."""
    try:
        problem = read_json(body.decode("utf-8"), 32)
    except ValueError:
        return None
    if not isinstance(problem, dict):
        return None
    code, detail = problem.get("code"), problem.get("detail")
    is_problem = isinstance(code, str) and _CODE.fullmatch(code) and isinstance(detail, str)
    return problem if is_problem else None


def api_error(status: int, headers: Mapping[str, str], body: bytes, base: str) -> MusterApiError:
    """Return the error of an unsuccessful answer: from its problem document, or else from its status."""
    problem = problem_of(body)
    if problem is None:
        detail = f"{base} is no Muster mesh: it answers with HTTP {status} and without a problem document"
        return MusterApiError(
            "invalid_response", status, detail, retry_after=retry_after_header(headers)
        )
    named = retry_after_of(problem.get("retry_after"))
    return MusterApiError(
        problem["code"],
        status,
        _with_issues(problem["detail"], problem.get("issues")),
        retry_after=retry_after_header(headers) if named is None else named,
        help_url=f"{base}troubleshooting/{problem['code']}",
    )


def retry_after_of(value: object) -> float | None:
    """Return the seconds that a message names; the longest time for what is no such time, None if it names none."""
    if value is None:
        return None
    is_time = isinstance(value, int | float) and not isinstance(value, bool)
    if is_time and 0 <= value <= RETRY_AFTER_SECONDS_MAX:  # type: ignore[operator]
        return float(value)  # type: ignore[arg-type]
    return RETRY_AFTER_SECONDS_MAX


def retry_after_header(headers: Mapping[str, str]) -> float | None:
    """Return the `Retry-After` header (RFC 9110 section 10.2.3) in seconds. A date is compared with the time of the answer."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+", text):
        return min(float(text[:18]), RETRY_AFTER_SECONDS_MAX)
    at = _http_date(text)
    sent_at = _http_date(headers.get("date", "").strip())
    if at is None or sent_at is None:
        return None
    return min(max((at - sent_at).total_seconds(), 0), RETRY_AFTER_SECONDS_MAX)


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return at if at.tzinfo is not None else None


def _with_issues(detail: str, issues: object) -> str:
    """Return the detail and the issues, each text once: a detail may name its issues already, or be the message of one."""
    if not isinstance(issues, list):
        return detail
    texts: list[str] = []
    is_repeated = False
    for issue in issues:
        if not isinstance(issue, dict):
            continue
        path, message = issue.get("path"), issue.get("message")
        if not isinstance(path, str) or not isinstance(message, str):
            continue
        is_repeated = is_repeated or message == detail
        text = message if path == "" else f"{path}: {message}"
        if text not in detail and text not in texts:
            texts.append(text)
    if not texts:
        return detail
    joined = "; ".join(texts)
    return joined if is_repeated else f"{detail} ({joined})"
