"""A peer for `muster conformance --cmd "python examples/conformance_peer.py"`.

docs/conformance.md describes the environment and the four kinds.
"""

import asyncio
import math
import os
import sys

import muster

STEP = 0.1


def fail(payload):
    raise RuntimeError(payload)


async def slow(payload, context):
    steps = math.ceil(payload["seconds"] / STEP)
    for step in range(steps):
        context.progress(step / steps, f"step {step} of {steps}")
        await asyncio.sleep(STEP)
    return payload


HANDLERS = {
    "echo": lambda payload: payload,
    "fail": fail,
    "slow": slow,
    "big": lambda payload: "x" * payload["bytes"],
}


def words(name):
    return [each for each in os.environ.get(name, "").split(",") if each]


if __name__ == "__main__":
    peer = muster.connect_peer(
        os.environ["MUSTER_URL"],
        mesh_key=os.environ.get("MUSTER_MESH_KEY"),
        join_key=os.environ.get("MUSTER_JOIN_KEY"),
        private_key=os.environ["MUSTER_PRIVATE_KEY"],
        name=os.environ.get("MUSTER_NAME", ""),
        handlers={kind: HANDLERS[kind] for kind in words("MUSTER_KINDS")},
        slots=int(os.environ.get("MUSTER_SLOTS", "1")),
        capabilities=words("MUSTER_CAPABILITIES"),
    )
    try:
        peer.run()
    except muster.PeerError as error:
        sys.exit(f"{error.code}: {error}")
