"""A peer that runs empty tasks of one kind: in its loop, in threads or in processes."""

import asyncio
import sys

import muster


async def in_loop(payload):
    return None


def in_thread(payload):
    return None


async def main():
    url, mesh_key, kind, slots = sys.argv[1:]
    peer = muster.connect_peer(url, mesh_key=mesh_key, slots=int(slots))
    if kind == "python_loop":
        peer.handler(kind)(in_loop)
    else:
        peer.handler(kind, run_in=kind.removeprefix("python_"))(in_thread)
    async with peer:
        await peer.ready()
        print("ready", flush=True)
        await peer.closed()


if __name__ == "__main__":
    asyncio.run(main())
