"""How deep a JSON text is nested, counted before anything is parsed."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
"""A string, also one without an end so that each character is read once, or a bracket."""


def is_deeper(text: str, max_depth: int) -> bool:
    """Whether a text, JSON or not, opens more than `max_depth` brackets inside each other."""
    if text.count("{") + text.count("[") <= max_depth:
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "[{":
            depth += 1
            if depth > max_depth:
                return True
        elif mark in "]}":
            depth -= 1
    return False
