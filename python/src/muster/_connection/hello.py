"""The hello of the handshake's third message."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from muster._protocol.constants import HELD_TASKS_MAX, HELLO_BYTES_MAX, KEY_BYTES, TAG_BYTES

if TYPE_CHECKING:
    from muster._connection.profile import DialOptions

_HELLO_JSON_BYTES_MAX = HELLO_BYTES_MAX - KEY_BYTES - 2 * TAG_BYTES
"""The message holds two tags: one after the static key, one after the hello."""


def hello_bytes(options: DialOptions) -> bytes:
    """Return the hello.

    If the list of held attempts does not fit, it is left out whole: the mesh would take back the attempts that a shortened list omits,
    and it refuses a hello that is too long.
    """
    profile = options.profile
    hello: dict[str, Any] = {
        "name": profile.name,
        "role": profile.role,
        "capabilities": profile.capabilities,
        "kinds": profile.kinds,
        "slots": profile.slots,
        "prefetch": profile.prefetch,
        "client": "muster-python/1",
    }
    if options.join_key is not None:
        hello["join_key"] = options.join_key
    held = [{"task_id": each.task_id, "fence": each.fence} for each in options.held]
    with_tasks = _encoded({**hello, "held": held[:HELD_TASKS_MAX]})
    return with_tasks if len(with_tasks) <= _HELLO_JSON_BYTES_MAX else _encoded(hello)


def _encoded(hello: dict[str, Any]) -> bytes:
    return json.dumps(hello, ensure_ascii=False, separators=(",", ":")).encode()
