"""What the command line writes: text of peers, tasks and meshes is escaped, so that it moves no cursor and begins no line."""

from __future__ import annotations

import contextlib
import os
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
    """Write one line to stdout, which is the log of the command."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()  # what handlers have printed comes before it
    encoding = sys.stdout.encoding or "utf-8"
    _stdout.write(sys.stdout.fileno(), f"{escape(text)}\n".encode(encoding, "backslashreplace"))


class LogFile:
    """Takes lines while there is room. What does not fit is lost, and a torn line ends before the next one begins."""

    def __init__(self) -> None:
        self._is_torn = False

    def write(self, descriptor: int, line: bytes) -> None:
        """Write a line. Raises `BrokenPipeError` when nobody reads it."""
        data = b"\n" + line if self._is_torn else line
        written = 0
        try:
            while written < len(data):
                written += os.write(descriptor, data[written:])
        except BrokenPipeError:
            raise
        except OSError:
            pass  # A full disk. There is nobody to tell: what would tell it is this file.
        if written > 0:
            self._is_torn = written < len(data)


_stdout = LogFile()


def note(text: str) -> None:
    """Write one line to stderr: for text that is not the output of the command."""
    sys.stderr.write(f"{escape(text)}\n")
    sys.stderr.flush()
