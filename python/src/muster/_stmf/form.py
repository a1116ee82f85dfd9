"""The content of a container: a form, as Borg's `FormData` serializes it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from muster._base.bytes import from_base64, to_base64
from muster._stmf.errors import StmfError, StmfErrorCode
from muster._stmf.text import parse_json, units, well_formed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FIELDS_MAX = 10_000
META_MAX = 1_000
LABEL_UNITS_MAX = 4_096
_VALUES_MAX = 100_000
_DEPTH_MAX = 32
_FILE = "file"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. Names may repeat. For files, `type` is `file` and `value` is base64."""

    name: str
    value: str = field(repr=False)
    type: str = ""
    filename: str = ""
    mime: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """The content of a container."""

    fields: Sequence[Field]
    meta: Mapping[str, str] = field(default_factory=dict)


def text_field(name: str, value: str, type: str = "text") -> Field:  # noqa: A002 - the name of the form's own field
    """A text field. `type` is the type of an HTML input: `text`, `password`, `email`, ..."""
    return Field(name, value, type)


def file_field(
    name: str, content: bytes, filename: str, mime: str = "application/octet-stream"
) -> Field:
    """A field that contains a file, which may be empty."""
    return Field(name, to_base64(content), _FILE, filename, mime)


def file_content(field: Field) -> bytes | None:
    """The content of a file field; None when the field is not a file or its value is not base64."""
    return from_base64(field.value) if field.type == _FILE else None


def value_of(form: Form, name: str) -> str | None:
    """The value of the first field with this name; None if there is none."""
    return next((field.value for field in form.fields if field.name == name), None)


def values_of(form: Form, name: str) -> list[str]:
    """The values of all fields with this name, in order."""
    return [field.value for field in form.fields if field.name == name]


def write_form(form: Form) -> bytes:
    """The plaintext of a form, with keys in Borg's order. Raises `StmfError` (`form_invalid`)."""
    given: dict[str, object] = {"fields": [_written(each) for each in form.fields]}
    if form.meta:
        given["meta"] = dict(form.meta)
    checked = _checked(given, "form_invalid")
    written: dict[str, object] = {"fields": [_written(each) for each in checked.fields]}
    if checked.meta:
        written["meta"] = dict(checked.meta)
    return json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode()


def read_form(plaintext: bytes) -> Form:
    """Parses a plaintext. Raises `StmfError` (`content_invalid`)."""
    value = parse_json(plaintext, max_depth=_DEPTH_MAX, max_values=_VALUES_MAX)
    if value is None:
        what = "not JSON, or JSON with too many levels or values for a form"
        raise StmfError("content_invalid", what)
    return _checked(value, "content_invalid")


def _written(each: Field) -> dict[str, object]:
    optional = {"type": each.type, "filename": each.filename, "mime": each.mime}
    named: dict[str, object] = {"name": each.name, "value": each.value}
    return named | {name: text for name, text in optional.items() if text}


class _Wrong(Exception):  # noqa: N818 - its text becomes part of an error
    pass


def _checked(value: object, code: StmfErrorCode) -> Form:
    """The form in a value. Its limits come first, so that a long list is refused before its members are read."""
    try:
        given = _members("the form", value)
        fields, meta = given.get("fields"), given.get("meta")
        # Go writes an empty list as null.
        return Form(_fields([] if fields is None else fields), _meta({} if meta is None else meta))
    except _Wrong as wrong:
        raise StmfError(code, str(wrong)) from None


def _fields(value: object) -> list[Field]:
    if not isinstance(value, list):
        raise _Wrong("fields: expected a list")
    if len(value) > FIELDS_MAX:
        raise _Wrong(f"fields: expected at most {FIELDS_MAX}")
    return [_field(index, each) for index, each in enumerate(value)]


def _field(index: int, value: object) -> Field:
    place = f"fields.{index}"
    value = _members(place, value)
    return Field(
        _label(f"{place}.name", value.get("name")),
        _text(f"{place}.value", value.get("value")),
        *(_optional(f"{place}.{name}", value.get(name)) for name in ("type", "filename", "mime")),
    )


def _members(place: str, value: object) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise _Wrong(f"{place}: expected an object")
    return value


def _meta(value: object) -> dict[str, str]:
    if (
        not isinstance(value, dict)
        or not _are_labels(value)
        or "__proto__" in value
        or len(value) > META_MAX
    ):
        raise _Wrong(f"meta: expected an object with at most {META_MAX} strings")
    return {well_formed(name): _text(f"meta.{name}", text) for name, text in value.items()}


def _are_labels(names: Iterable[object]) -> bool:
    return all(isinstance(name, str) and units(name) <= LABEL_UNITS_MAX for name in names)


def _optional(place: str, value: object) -> str:
    return "" if value is None else _label(place, value)


def _label(place: str, value: object) -> str:
    text = _text(place, value)
    if units(text) > LABEL_UNITS_MAX:
        raise _Wrong(f"{place}: expected at most {LABEL_UNITS_MAX} characters")
    return text


def _text(place: str, value: object) -> str:
    if not isinstance(value, str):
        raise _Wrong(f"{place}: expected a string")
    return well_formed(value)
