"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAttempt:
    """`CallbackView.attempts` of the API."""

    at: str
    """RFC 3339, UTC."""
    ended_at: str | None
    """Null while the attempt is running, or if it was interrupted."""
    status: int | None
    """The HTTP status of the answer."""
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackView:
    """`CallbackView` of the API."""

    url: str
    state: Literal["waiting", "pending", "delivered", "failed", "cancelled"]
    """`waiting`: the task has not ended; `pending`: not acknowledged (2xx) yet; `delivered`;
    `failed`: no more attempts.
    """
    next_at: str | None
    """When the next attempt is made."""
    attempts: tuple[CallbackAttempt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSecretPrevious:
    """`CallbackSecretView.previous` of the API."""

    secret: str = field(repr=False)
    ends_at: str
    """RFC 3339, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSecretView:
    """`CallbackSecretView` of the API."""

    owner: str
    """Whose tasks' callbacks it signs."""
    origin: str
    """The receiver; no other one has this secret."""
    version: int
    secret: str = field(repr=False)
    """A Standard Webhooks secret (whsec_…)."""
    rotated_at: str | None
    """RFC 3339, UTC."""
    previous: CallbackSecretPrevious | None
    """The secret before, which signs, too, until its end."""
