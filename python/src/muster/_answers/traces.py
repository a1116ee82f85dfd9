"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanView:
    """`SpanView` of the API."""

    span_id: str
    """16 lower-case hex characters."""
    parent_span_id: str | None
    """16 lower-case hex characters."""
    name: Literal[
        "muster.task",
        "muster.submit",
        "muster.retry",
        "muster.wait",
        "muster.attempt",
        "muster.upload",
        "muster.callback",
        "muster.callback.attempt",
    ]
    started_at: str
    """RFC 3339, UTC."""
    ended_at: str | None
    """Null while it has not ended."""
    failed: bool
    attributes: Mapping[str, str | float | bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRound:
    """`TaskTraceView.earlier_rounds` of the API."""

    retries: int
    """How often the task had been retried by then."""
    spans: tuple[SpanView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTrace:
    """`TaskTraceView` of the API."""

    task_id: str
    trace_id: str
    """32 lower-case hex characters: that of the task's `traceparent`, else the task's ID without
    hyphens.
    """
    exported: bool
    """Whether the mesh sends these spans by OTLP."""
    spans: tuple[SpanView, ...]
    """Those since the task's newest retry."""
    earlier_rounds: tuple[EarlierRound, ...] = ()
    """What the task did before each retry, the oldest first, as far as attempts are stored.

    When such a round ended, and its callback, is not stored.
    """
