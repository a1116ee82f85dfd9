from __future__ import annotations

import asyncio

import pytest

from muster._base.time_limit import TimeLimit


async def test_py44_a_block_ends_after_its_time() -> None:
    with pytest.raises(asyncio.TimeoutError):
        async with TimeLimit(0.01):
            await asyncio.sleep(30)
    async with TimeLimit(30):
        await asyncio.sleep(0)
    async with TimeLimit(float("inf")):
        await asyncio.sleep(0)


async def test_py44_a_cancellation_is_never_swallowed() -> None:
    """Also when what is awaited ends in the same step of the loop."""

    async def busy() -> None:
        while True:
            done = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(done.set_result, None)
            async with TimeLimit(30):
                await done

    for steps in range(8):
        task = asyncio.create_task(busy())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_py44_a_cancellation_counts_more_than_a_time() -> None:
    async def limited() -> None:
        async with TimeLimit(0.02):
            await asyncio.sleep(30)

    task = asyncio.create_task(limited())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    outer = asyncio.create_task(asyncio.wait_for(limited(), 30))
    with pytest.raises(asyncio.TimeoutError):
        await outer


async def test_py44_an_error_within_the_block_passes() -> None:
    with pytest.raises(ValueError, match="inside"):
        async with TimeLimit(30):
            raise ValueError("inside")
