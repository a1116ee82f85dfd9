"""A controller that is closed, or used in a second event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import muster
from servers import json_answer, serving, task

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from muster import Controller

ID = task()["id"]
TOKEN = "mst_0123456789abcdef0123456789abcdef"


async def first_of(iterator: Any) -> Any:
    async for each in iterator:
        return each
    return None


CALLS: dict[str, Callable[[Controller], Awaitable[Any]]] = {
    "get": lambda mesh: mesh.tasks.get(ID),
    "submit": lambda mesh: mesh.tasks.submit("echo", 1),
    "run": lambda mesh: mesh.run("echo", 1),
    "wait": lambda mesh: mesh.tasks.wait(ID),
    "follow": lambda mesh: first_of(mesh.tasks.follow(ID)),
    "result": lambda mesh: mesh.tasks.result(ID),
    "list": lambda mesh: mesh.peers.list().to_list(),
    "events": lambda mesh: first_of(mesh.events()),
    "discovery": lambda mesh: mesh.discovery.peers(),
    "alerts": lambda mesh: mesh.alerts(),
    "cells": lambda mesh: mesh.cells(),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("pin", [None, "ab" * 32])
async def test_py41_a_closed_controller_says_so_and_sends_nothing(
    call: str, pin: str | None
) -> None:
    async with serving(json_answer(task())) as server:
        async with muster.controller(server.url, TOKEN, mesh_key=pin) as mesh:
            pass
        with pytest.raises(muster.OptionsError, match="is closed; make a new one"):
            await CALLS[call](mesh)
        assert server.requests == []


@pytest.mark.parametrize("call", CALLS)
async def test_py41_a_second_event_loop_is_refused_in_words(call: str) -> None:
    async with serving(json_answer(task())) as server, muster.controller(server.url, TOKEN) as mesh:
        await mesh.tasks.get(ID)

        def in_another_loop() -> None:
            with pytest.raises(muster.OptionsError, match="make one in each loop"):
                asyncio.run(asyncio.wait_for(CALLS[call](mesh), 10))

        await asyncio.to_thread(in_another_loop)
        assert len(server.requests) == 1
        assert (await mesh.tasks.get(ID)).id == ID  # the first loop goes on
