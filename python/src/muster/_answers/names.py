"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from typing import Literal, TypeAlias

Protocol: TypeAlias = Literal["muster/2", "go-p2p/1.0"]
AuthMode: TypeAlias = Literal["open", "allowlist"]
TaskState: TypeAlias = Literal[
    "queued",
    "leased",
    "running",
    "succeeded",
    "failed",
    "cancelled",
    "expired",
]
Scope: TypeAlias = Literal["admin", "controller", "viewer", "metrics"]
PeerState: TypeAlias = Literal["discovered", "active", "suspect", "stale", "evicted", "revoked"]
Scheduling: TypeAlias = Literal["open", "cordoned", "draining"]
DialState: TypeAlias = Literal["waiting", "queued", "dialling", "connected", "resting", "barred"]
Region: TypeAlias = Literal["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"]
DeliveryOutcome: TypeAlias = Literal["task", "duplicate", "filtered", "unmapped", "refused", "ping"]
WebhookScheme: TypeAlias = Literal["standard-webhooks", "github", "stripe", "slack", "hmac"]
