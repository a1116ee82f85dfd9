"""Texts in forms, which also programs in Go, PHP and JavaScript read."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from muster._base.bytes import utf8_or_none
from muster._json.depth import is_deeper
from muster._json.flaw import is_well_formed

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{,]', re.DOTALL)


def well_formed(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair, as browsers' forms and Go have it."""
    if is_well_formed(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def units(text: str) -> int:
    """The length in UTF-16 code units, which the limits of Muster count."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse_json(data: bytes, *, max_depth: int, max_values: int | None = None) -> Any:
    """The value of a JSON text within limits, which are checked first; None for anything else."""
    text = utf8_or_none(data)
    if text is None or is_deeper(text, max_depth):
        return None
    if max_values is not None and _has_more_values(text, max_values):
        return None
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _has_more_values(text: str, max_values: int) -> bool:
    """Counts commas and opening brackets: each value except the first follows one of them."""
    if text.count(",") + text.count("[") + text.count("{") < max_values:
        return False
    values = 1
    for token in _TOKEN.finditer(text):
        values += not token[0].startswith('"')
        if values > max_values:
            return True
    return False


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
