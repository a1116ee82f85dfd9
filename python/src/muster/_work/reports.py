"""How an outcome is reported to the mesh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muster._base.cut_text import cut_text
from muster._protocol.constants import TASK_ERROR_CHARS_MAX
from muster._work.outcome import (
    Failed,
    InMessage,
    Outcome,
)
from muster._work.unconfirmed_results import Report

if TYPE_CHECKING:
    from muster._work.mesh_answers import Refusal


def members_of(outcome: Outcome) -> dict[str, Any]:
    """Return the members of a `task_result` by which an outcome is reported."""
    if isinstance(outcome, Failed):
        return {"ok": False, "error": outcome.error, "retry": outcome.retry}
    sealed = {"sealed": True} if outcome.sealed else {}
    if isinstance(outcome, InMessage):
        return {"ok": True, "result": outcome.result, **sealed}
    content = {"bytes": outcome.content.bytes, "sha256": outcome.content.sha256}
    return {"ok": True, "result": None, "uploaded": content, **sealed}


def lost_upload(report: Report, refusal: Refusal) -> Report | None:
    """Return what a peer reports when the mesh has refused an uploaded result because it does not have the bytes.

    The attempt, which is still this peer's, has failed. None for any other refusal.
    """
    is_upload = "uploaded" in report.message
    if not is_upload or refusal.code is None or refusal.code == "lease_lost":
        return None
    about = {name: report.message[name] for name in ("task_id", "fence")}
    error = cut_text(refusal.reason, TASK_ERROR_CHARS_MAX)
    message = {**about, "ok": False, "error": error, "retry": True}
    return Report(message, report.kind)
