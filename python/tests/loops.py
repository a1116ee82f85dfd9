"""Asynchronous tests."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

LONGEST = 120.0
"""A test that takes longer has failed: far more than any test needs on a busy machine."""


def asynchronous(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in an event loop of its own."""

    @functools.wraps(test)
    def run(*arguments: Any, **options: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*arguments, **options), LONGEST))

    return run


async def until(condition: Callable[[], object]) -> None:
    """Wait until something lasting has happened."""
    while not condition():
        await asyncio.sleep(0.01)
