"""Waiting in tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


async def until(condition: Callable[[], object]) -> None:
    """Wait until something lasting has happened."""
    while not condition():
        await asyncio.sleep(0.01)
