"""Where a value is inside another one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PATH_CHARS_MAX = 200
_SIMPLE_NAME = re.compile(r"[A-Za-z_$][\w$-]*", re.ASCII)


def show_path(root: str, segments: Sequence[str | int]) -> str:
    """Return a path as a message shows it: `payload.items[3]["odd name"]`."""
    shown = root
    for segment in segments:
        if isinstance(segment, int):
            shown += f"[{segment}]"
        elif _SIMPLE_NAME.fullmatch(segment):
            shown += f".{segment}"
        else:
            shown += f"[{json.dumps(segment)}]"
        if len(shown) > _PATH_CHARS_MAX:
            return f"{shown[:_PATH_CHARS_MAX]}…"
    return shown
