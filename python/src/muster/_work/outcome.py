"""How an attempt ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muster._base.bytes import to_base64
from muster._base.cut_text import cut_text
from muster._json import JsonFlaw, JsonText, json_of_value
from muster._protocol.constants import (
    TASK_ERROR_CHARS_MAX,
    TASK_LARGE_RESULT_BYTES_MAX,
    TASK_RESULT_BYTES_MAX,
    VALUE_DEPTH_MAX,
)
from muster._stmf.task_result import seal_result
from muster.errors import MusterError, TaskError

if TYPE_CHECKING:
    from collections.abc import Callable

    from muster._crypto.result_tickets import ResultContent


@dataclass(frozen=True, slots=True)
class Returned:
    """The handler returned this JSON."""

    json: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The handler raised, or what it returned can't be sent."""

    error: str
    retry: bool


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The program that runs the handler ends: the task goes back to the mesh, and nobody has failed."""

    reason: str


Settled = Returned | Failed | Abandoned
"""How a handler ended."""


@dataclass(frozen=True, slots=True)
class InMessage:
    """A result that a message carries."""

    result: JsonText
    sealed: bool


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A result that is too large for a message: its bytes are uploaded over HTTP."""

    data: bytes
    sealed: bool


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A large result that the mesh has: the message names its bytes."""

    content: ResultContent
    sealed: bool


Outcome = InMessage | Uploaded | Failed
"""How an attempt ended, as it is reported to the mesh."""


def outcome_of(call: Callable[[], Any]) -> Returned | Failed:
    """Call a handler, and return how it ended. Raises nothing, so that its slot is free again whatever the handler does."""
    try:
        return returned(call())
    except BaseException as error:  # noqa: BLE001 - also what ends a program ends only the attempt
        return raised(error)


def returned(value: Any) -> Returned | Failed:
    """Return the outcome of a handler's value. One that can't be sent would fail in the same way elsewhere: the failure is final."""
    try:
        return Returned(json_of_value(value, "result", VALUE_DEPTH_MAX))
    except JsonFlaw as flaw:
        return failed(f"the result is not JSON: {flaw}", retry=False)


def raised(error: BaseException) -> Failed:
    """Return the outcome of what a handler raised."""
    retry = error.retry if isinstance(error, TaskError) else True
    text = _text_of(error)
    if text == "":
        text = type(error).__name__
    elif not isinstance(error, MusterError):
        text = f"{type(error).__name__}: {text}"
    return failed(text, retry=retry)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 - the class is the program's, and so is its text
        return ""


def failed(error: str, *, retry: bool) -> Failed:
    """Return a failure, whose text is cut to what a message holds."""
    return Failed(cut_text(error, TASK_ERROR_CHARS_MAX), retry)


def prepare(json: str, seal_to: str | None, *, can_upload: bool) -> InMessage | TooLarge | Failed:
    """Return how a result is sent. A large one takes a while: call it in a thread."""
    data = json.encode()
    if len(data) > TASK_LARGE_RESULT_BYTES_MAX:
        return _too_large(len(data))
    if seal_to is not None:
        return _sealed(data, seal_to, can_upload=can_upload)
    if len(data) <= TASK_RESULT_BYTES_MAX:
        return InMessage(JsonText(json), sealed=False)
    return TooLarge(data, sealed=False) if can_upload else _too_large(len(data))


def _sealed(data: bytes, seal_to: str, *, can_upload: bool) -> InMessage | TooLarge | Failed:
    try:
        container = seal_result(data, bytes.fromhex(seal_to))
    except MusterError as error:
        return failed(f"the result can't be sealed: {error}", retry=False)
    text = to_base64(container)
    if len(text) + len('""') <= TASK_RESULT_BYTES_MAX:
        return InMessage(JsonText(f'"{text}"'), sealed=True)
    if can_upload and len(container) <= TASK_LARGE_RESULT_BYTES_MAX:
        return TooLarge(container, sealed=True)
    return _too_large(len(container))


def _too_large(size: int) -> Failed:
    return failed(f"the result has {size} bytes, more than can be sent", retry=False)
