"""A peer's record: a form with one field for each attribute."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from muster._answers.discovery import PeerRecord, PointerView
from muster._answers.read import Mismatch, read
from muster._base.bytes import from_hex
from muster._crypto.identity import peer_id_of
from muster._discovery.epochs import pointer_id_of
from muster._discovery.errors import DiscoveryError
from muster._stmf.errors import StmfError
from muster._stmf.seal import open_form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from muster._stmf.form import Form


def open_resolved(
    pointer: PointerView, blob: bytes | None, private_key: bytes, pointer_secret: bytes | None
) -> PeerRecord:
    """Open the record of an accepted pointer. Raises `DiscoveryError`.

    `pointer_secret` is None when the reader knows only the private key.
    """
    if blob is None:
        raise DiscoveryError("blob_missing", "the store has no blob under the pointer's blob ID")
    try:
        record = read_peer_form(open_form(blob, private_key))
    except StmfError as error:
        raise DiscoveryError(error.code, error.detail) from None
    if pointer_secret is not None and pointer_id_of(pointer_secret, record.id) != pointer.id:
        detail = "the record belongs to another peer than the pointer"
        raise DiscoveryError("identity_mismatch", detail)
    return record


def read_peer_form(form: Form) -> PeerRecord:
    """The record in a form. Fields with unknown names are ignored, for later versions. Raises `StmfError`."""
    found: dict[str, Any] = {}
    for field in form.fields:
        reader = _READERS.get(field.name)
        if reader is None:
            continue
        if field.name in found:
            raise StmfError("record_invalid", f"{field.name} appears twice")
        found[field.name] = reader(field.value)
    try:
        record = read(PeerRecord, found)
    except Mismatch as mismatch:
        raise StmfError("record_invalid", str(mismatch)) from None
    if not 0 <= record.score <= 1:
        raise StmfError("record_invalid", "score: expected 0 to 1")
    public_key = from_hex(record.public_key)
    if public_key is None or peer_id_of(public_key) != record.id:
        raise StmfError("identity_mismatch", "the record's ID does not belong to its key")
    return record


def _text(text: str) -> object:
    return text


def _text_or_none(text: str) -> object:
    return None if text == "" else text


def _number(text: str) -> object:
    """A number as in JSON; another text stays one, and is refused."""
    if text == "":
        return None
    try:
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text


def _boolean(text: str) -> object:
    return {"true": True, "false": False}.get(text, text)


def _list(text: str) -> object:
    return [] if text == "" else text.split(",")


_READERS: Mapping[str, Callable[[str], object]] = {
    "id": _text,
    "name": _text,
    "public_key": _text,
    "address": _text,
    "role": _text,
    "added_at": _text_or_none,
    "last_seen": _text_or_none,
    "ping_ms": _number,
    "hops": _number,
    "geo_km": _number,
    "score": _number,
    "connected": _boolean,
    "capabilities": _list,
    "kinds": _list,
    "region": _text_or_none,
}
