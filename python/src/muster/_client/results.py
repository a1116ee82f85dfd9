"""The results of tasks as they are fetched: compared with their digest and their signature, and opened."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from muster._base.bytes import to_base64, utf8_or_none
from muster._crypto.identity import PrivateKey, identity_from
from muster._protocol.constants import TASK_LARGE_RESULT_BYTES_MAX
from muster._stmf.errors import StmfError
from muster._stmf.task_result import open_result
from muster.errors import MusterApiError, OptionsError

if TYPE_CHECKING:
    from muster._discovery.statements import Verifier
    from muster._http.api import Answer

__all__ = ["TASK_LARGE_RESULT_BYTES_MAX", "result_text", "shown_result"]

_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")
_OPENED_IN_THREAD = 65_536
"""Bytes from which a result is opened in a thread."""


async def result_text(
    answer: Answer, task_id: str, verifier: Verifier | None, private_key: PrivateKey | None
) -> str:
    """The text of a result, opened if it is sealed.

    Raises `OptionsError` if the key is missing or does not open it, `MusterApiError` if its digest does not match, if it is not signed by
    the pinned mesh, or not JSON.
    """
    is_sealed = _checked(answer, task_id, verifier)
    if not is_sealed:
        return _json_text(answer.body)
    return _json_text(await open_sealed(answer.body, private_key))


def shown_result(answer: Answer, task_id: str, verifier: Verifier) -> dict[str, Any]:
    """The fields of a task that show its result. A sealed result stays sealed, in base64."""
    is_sealed = _checked(answer, task_id, verifier)
    text = json.dumps(to_base64(answer.body)) if is_sealed else _json_text(answer.body)
    return {"result": json.loads(text), "result_text": text, "result_sealed": is_sealed}


async def open_sealed(container: bytes, private_key: PrivateKey | None) -> bytes:
    """The JSON of a sealed result. Raises `OptionsError` if the key is missing or does not open it."""
    wanted = "the result is sealed: pass the private key of the public key that the task was submitted with"
    if private_key is None:
        raise OptionsError(wanted)
    key = identity_from(private_key).private_key
    try:
        if len(container) < _OPENED_IN_THREAD:
            return open_result(container, key)
        return await asyncio.to_thread(open_result, container, key)
    except StmfError:
        raise OptionsError(wanted) from None


def _checked(answer: Answer, task_id: str, verifier: Verifier | None) -> bool:
    """Whether the result is sealed, once its digest and its signature are right."""
    digest = to_base64(hashlib.sha256(answer.body).digest())
    stated = _DIGEST.fullmatch(answer.headers.get("content-digest", ""))
    if stated is None or stated[1] != digest:
        raise _unreadable("the result does not match its digest")
    is_sealed = not answer.headers.get("content-type", "").startswith("application/json")
    if verifier is not None:
        statement = {
            "task_id": task_id.lower(),
            "fence": _fence_of(answer),
            "bytes": len(answer.body),
            "sha256": digest,
            "sealed": is_sealed,
        }
        if not verifier.result(statement, answer.headers.get("muster-result-signature", "")):
            raise _unreadable("the result is not signed by the mesh whose key is pinned")
    return is_sealed


def _fence_of(answer: Answer) -> int:
    text = answer.headers.get("muster-result-fence", "")
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else 0


def _json_text(body: bytes) -> str:
    text = utf8_or_none(body)
    try:
        json.loads(text or "", parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise _unreadable("the result is not JSON") from None
    return text or ""


def _refuse(name: str) -> None:
    raise ValueError(name)


def _unreadable(detail: str) -> MusterApiError:
    return MusterApiError("invalid_response", 200, detail)
