"""Texts for people in messages."""

from __future__ import annotations


def cut_text(text: str, chars_max: int) -> str:
    """Cut a text to what a message holds. Half of a surrogate pair, which no message holds, becomes `?`."""
    return text[:chars_max].encode("utf-8", "replace").decode()
