"""A task's result as a sealed form of one field."""

from __future__ import annotations

from muster._stmf.errors import StmfError
from muster._stmf.form import Field, Form, value_of
from muster._stmf.seal import open_form, seal_form

_FIELD = "result"
"""The only field of the form. Its value is the result as JSON."""


def seal_result(json: bytes, public_key: bytes) -> bytes:
    """Seals a task's result (JSON in UTF-8) to its caller's key. Raises `StmfError`."""
    try:
        value = json.decode("utf-8")
    except UnicodeDecodeError:
        raise StmfError("form_invalid", "the result is not UTF-8") from None
    return seal_form(Form([Field(_FIELD, value)]), public_key)


def open_result(container: bytes, private_key: bytes) -> bytes:
    """The JSON of a sealed result. Raises `StmfError` when it does not open with this key or contains no result."""
    value = value_of(open_form(container, private_key), _FIELD)
    if value is None:
        raise StmfError("content_invalid", "the form contains no result")
    return value.encode()
