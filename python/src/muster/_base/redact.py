"""Texts without what authorizes, for logs and exceptions."""

from __future__ import annotations

import re

_URL_TEXT = re.compile(r"([a-z][a-z\d+.-]{0,31}://)([^\s\"'<>]*)", re.IGNORECASE)
_PATH_TEXT = re.compile(r"(?<![^\s\"'(])/[^\s\"'<>]*")
_CREDENTIAL = re.compile(r"\b(mst|mjk)_[\da-f]{16,}", re.IGNORECASE)
_QUERY = re.compile(r"[?#].*$", re.DOTALL)
_USER = re.compile(r"^([a-z][a-z\d+.-]{0,31}:[\\/]*)?.*@", re.IGNORECASE | re.DOTALL)


def redact(text: str) -> str:
    """Return the text without user, query and fragment of each URL, and without tokens and join keys.

    A query holds the proof of a connection, a fragment the join key of a link.
    """
    shown = _URL_TEXT.sub(lambda found: found[1] + _address(found[2]), text)
    shown = _PATH_TEXT.sub(lambda found: found[0].split("?", 1)[0], shown)
    return _CREDENTIAL.sub(r"\1_…", shown)


def redact_url(text: str) -> str:
    """Return the same for one text that should be a URL and may not be."""
    return redact(_USER.sub(r"\1", _QUERY.sub("", text)))


def _address(rest: str) -> str:
    shown = rest.split("?", 1)[0].split("#", 1)[0]
    return shown[shown.split("/", 1)[0].rfind("@") + 1 :]
