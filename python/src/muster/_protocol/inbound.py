"""Reads and validates what a mesh sends to a peer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from muster._http.problem import retry_after_of
from muster._json import JsonText
from muster._protocol.constants import DRAIN_TIMEOUT_MAX, RECONNECT_POSITION_MAX
from muster._protocol.reading import BadMessage, Fields

if TYPE_CHECKING:
    from collections.abc import Callable

from muster._protocol.inbound_types import (
    ROLES,
    Disconnect,
    DrainOrder,
    Inbound,
    JoinedMesh,
    MeshErrorMessage,
    PeerRequest,
    Ping,
    Pong,
    Reconnect,
    Rejection,
    Role,
    Sample,
    TaskCancel,
    TaskOffer,
    TaskReturn,
    TaskShown,
    Welcome,
)

_KIND = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
_TRACEPARENT = re.compile(r"00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}", re.ASCII)
_TRACESTATE = re.compile(r"[ -~]{1,512}")
_SAMPLE_MAX = 16
_EPOCHS_MAX = 16


def read_inbound(kind: str, payload: Any) -> Inbound | None:
    """Return the message of a type; None for a type that a peer does not know. Raises `BadMessage`."""
    read = _READERS.get(kind)
    if read is not None:
        return read(Fields(payload, kind))
    if kind in REQUEST_REPLIES:
        return PeerRequest(kind, payload if isinstance(payload, JsonText) else JsonText("null"))
    if kind == "ping":
        return Ping(0.0) if payload is None else _ping(Fields(payload, kind))
    return None


REQUEST_REPLIES = {
    "get_stats": "stats",
    "get_logs": "logs",
    "start_miner": "miner_ack",
    "stop_miner": "miner_ack",
    "deploy": "deploy_ack",
}
"""The requests that a mesh forwards, each with the type of its reply."""


def _welcome(fields: Fields) -> Welcome:
    mesh = fields.object("mesh")
    return Welcome(
        fields.peer_id("peer_id"),
        fields.integer("epoch", 1),
        _role(fields),
        JoinedMesh(
            mesh.peer_id("id"),
            mesh.text("name", 64),
            mesh.key("public_key"),
            mesh.key("next_public_key") if mesh.has("next_public_key") else None,
        ),
        _reconnect(fields),
        _discovery(fields.object("discovery")) if fields.has("discovery") else None,
    )


def _role(fields: Fields) -> Role:
    role = fields.text("role", 16)
    for known in ROLES:
        if role == known:
            return known
    raise BadMessage("the role is none")


def _reconnect(fields: Fields) -> Reconnect | None:
    if not fields.has("reconnect"):
        return None
    reconnect = fields.object("reconnect")
    return Reconnect(
        reconnect.integer("slot", 0, RECONNECT_POSITION_MAX), reconnect.positive("per_second")
    )


def _discovery(fields: Fields) -> dict[str, Any]:
    epochs = []
    for each in fields.list("epochs", _EPOCHS_MAX):
        epoch = Fields(each, "an epoch")
        epochs.append(
            {
                "epoch": epoch.integer("epoch", 1),
                "private_key": epoch.key("private_key"),
                "pointer_secret": epoch.key("pointer_secret"),
                "expires_at": epoch.text("expires_at", 64),
            }
        )
    return {"signing_key": fields.key("signing_key"), "epochs": epochs}


def _rejection(fields: Fields) -> Rejection:
    return Rejection(
        fields.text("code", 64),
        fields.text("reason", 500),
        retry_after_of(fields.any("retry_after")),
    )


def _task_offer(fields: Fields) -> TaskOffer:
    payload = fields.any("payload")
    return TaskOffer(
        fields.uuid("task_id"),
        fields.integer("fence", 1),
        fields.matching("kind", _KIND),
        payload if isinstance(payload, JsonText) else JsonText("null"),
        fields.integer("attempt", 1),
        fields.positive("lease_seconds"),
        fields.positive("attempt_timeout_seconds")
        if fields.has("attempt_timeout_seconds")
        else None,
        fields.key("seal_to") if fields.has("seal_to") else None,
        fields.text("upload", 200) if fields.has("upload") else None,
        _optional(fields, "traceparent", _TRACEPARENT),
        _optional(fields, "tracestate", _TRACESTATE),
    )


def _optional(fields: Fields, name: str, pattern: re.Pattern[str]) -> str | None:
    """Anything else is ignored, and refuses no offer."""
    value = fields.any(name)
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _task_return(fields: Fields) -> TaskReturn:
    return TaskReturn(fields.uuid("task_id"), fields.integer("fence", 1))


def _task_cancel(fields: Fields) -> TaskCancel:
    return TaskCancel(
        fields.uuid("task_id"), fields.integer("fence", 1), fields.text("reason", 500)
    )


def _drain(fields: Fields) -> DrainOrder:
    return DrainOrder(
        fields.text("reason", 500), fields.number("timeout_seconds", 0, DRAIN_TIMEOUT_MAX)
    )


def _error(fields: Fields) -> MeshErrorMessage:
    return MeshErrorMessage(
        fields.number("code"),
        fields.shortened("message", 2_000),
        fields.text("details") if fields.has("details") else None,
        retry_after_of(fields.any("retry_after")),
    )


def _disconnect(fields: Fields) -> Disconnect:
    return Disconnect(fields.shortened("reason", 500, ""), _reconnect(fields))


def _ping(fields: Fields) -> Ping:
    return Ping(fields.number("sentAt") if fields.has("sentAt") else 0.0)


def _pong(fields: Fields) -> Pong:
    fields.number("sentAt")
    fields.number("receivedAt")
    return Pong()


def _sample(fields: Fields) -> Sample:
    pointers = fields.list("pointers", _SAMPLE_MAX)
    if not all(isinstance(each, str) and re.fullmatch(r"[0-9a-f]{32}", each) for each in pointers):
        raise BadMessage("a pointer has no ID")
    return Sample(tuple(pointers))


def _task_shown(fields: Fields) -> TaskShown:
    fields.object("task").uuid("id")
    task: dict[str, Any] = fields.any("task")
    return TaskShown(task, fields.text("ticket", 200) if fields.has("ticket") else None)


_READERS: dict[str, Callable[[Fields], Inbound]] = {
    "pong": _pong,
    "welcome": _welcome,
    "rejection": _rejection,
    "task_offer": _task_offer,
    "task_return": _task_return,
    "task_cancel": _task_cancel,
    "drain": _drain,
    "error": _error,
    "disconnect": _disconnect,
    "sample": _sample,
    "task_shown": _task_shown,
}
