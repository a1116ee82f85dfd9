"""What the command line writes: text of peers, tasks and meshes is escaped, so that it moves no cursor and begins no line."""

from __future__ import annotations

import sys

_ESCAPED = {code: f"\\x{code:02x}" for code in [*range(0x20), 0x7F, *range(0x80, 0xA0)]}
_ESCAPED |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_ESCAPED |= {
    code: f"\\u{code:04x}"
    for code in [
        0x061C,
        0x200E,
        0x200F,
        0x2028,
        0x2029,
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    ]
}
"""Controls, line separators, and marks that change the direction of text."""


def escape(text: str) -> str:
    """Return a text as one line without controls."""
    return text.translate(_ESCAPED).encode("utf-8", "backslashreplace").decode()


def print_line(text: str) -> None:
    """Write one line to stdout."""
    sys.stdout.write(f"{escape(text)}\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Write one line to stderr: for text that is not the output of the command."""
    sys.stderr.write(f"{escape(text)}\n")
    sys.stderr.flush()
