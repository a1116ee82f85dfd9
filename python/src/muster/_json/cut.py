"""JSON whose rest is missing: a connection that broke off where the end of the answer could be."""

from __future__ import annotations

import codecs
import json
import re

_IS_JSON = re.compile(r"application/(?:[a-z.]+\+)?json\b")
_STRING = re.compile(
    r'"[^"\\]*(?:\\(?:u[0-9a-fA-F]{4}|[^u])[^"\\]*)*(?:(")|(\\(?:u[0-9a-fA-F]{0,3})?)?\Z)',
    re.DOTALL,
)
"""A string, with its end in the first group; or one that the text ends in, with the beginning of an escape in the second."""
_NUMBER_BEGUN = re.compile(r"-|\.|[eE][+-]?")
_WORDS = ("true", "false", "null")


def is_cut_json(content_type: str, body: bytes) -> bool:
    """Whether the bytes say that they are JSON, and are only its beginning."""
    if not _IS_JSON.match(content_type) or body == b"":
        return False
    try:
        # The last character may be cut, too.
        text = codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeDecodeError:
        return False
    if _parse(text) is None:
        return False
    text = _with_whole_string(text)
    error = _parse(text)
    return error is None or _is_at_end(text[error:])


def _parse(text: str) -> int | None:
    """Where the text is no JSON; None if it is JSON, or if that can't be told."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos
    except (ValueError, RecursionError):
        return None
    return None


def _with_whole_string(text: str) -> str:
    """The text, in which the string that it ends in is ended."""
    last = None
    for last in _STRING.finditer(text):  # noqa: B007 - the last one counts
        pass
    if last is None or last[1] is not None:
        return text
    return text[: len(text) - len(last[2] or "")] + '"'


def _is_at_end(rest: str) -> bool:
    """Whether what is wrong is that the text ends."""
    if rest.strip() == "" or _NUMBER_BEGUN.fullmatch(rest):
        return True
    return any(word.startswith(rest) for word in _WORDS)
