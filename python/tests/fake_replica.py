"""A mesh's discovery on a real socket: signed as a mesh signs, and served as a test says."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from muster import stmf
from muster._answers.discovery import DiscoveryKeys
from muster._answers.read import read
from muster._crypto.identity import generate_identity
from muster._discovery.epochs import pointer_id_of, reader_token
from muster._json.canonical import canonical_json
from servers import Request, answer, json_answer, problem

if TYPE_CHECKING:
    from muster._crypto.identity import KeyPair

SECRET = bytes(range(32))
EPOCH = 7


def time_text(offset: float = 0) -> str:
    """A time, so many seconds from now."""
    at = datetime.fromtimestamp(time.time() + offset, timezone.utc)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Publisher:
    """What a mesh has published."""

    def __init__(self) -> None:
        self._signing_key = Ed25519PrivateKey.generate()
        self._epoch_key = generate_identity()
        self.seq = 0
        self.pointers: dict[str, dict[str, Any]] = {}
        self.removed: list[dict[str, Any]] = []
        self.blobs: dict[str, bytes] = {}

    @property
    def keys(self) -> DiscoveryKeys:
        """The keys of a member."""
        epoch = {
            "epoch": EPOCH,
            "private_key": self._epoch_key.private_key.hex(),
            "pointer_secret": SECRET.hex(),
            "expires_at": time_text(3_600),
        }
        signing_key = self._signing_key.public_key().public_bytes_raw().hex()
        return read(DiscoveryKeys, {"signing_key": signing_key, "epochs": [epoch]})

    def sign(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """A signed statement."""
        text = f"muster/{kind}/1\n{canonical_json(body)}".encode()
        return {**body, "signature": self._signing_key.sign(text).hex()}

    def publish(self, peer: KeyPair, **attributes: Any) -> str:
        """Publish the record of a peer; returns the ID of its pointer."""
        self.seq += 1
        values = {
            "id": peer.id, "name": "", "public_key": peer.public_key.hex(), "address": "",
            "role": "worker", "added_at": time_text(), "last_seen": "", "ping_ms": "1.5",
            "hops": "", "geo_km": "", "score": "0.5", "connected": "true", "capabilities": "gpu",
            "kinds": "*", "region": "", **attributes,
        }  # fmt: skip
        form = stmf.Form([stmf.text_field(name, value) for name, value in values.items()])
        pointer_id = pointer_id_of(SECRET, peer.id)
        blob_id = f"{self.seq:032x}"
        self.blobs[blob_id] = stmf.encrypt(form, self._epoch_key.public_key)
        body = {
            "id": pointer_id, "epoch": EPOCH, "seq": self.seq, "blob_id": blob_id, "metadata": {},
            "expires_at": time_text(3_600),
        }  # fmt: skip
        self.pointers[pointer_id] = self.sign("pointer", body)
        return pointer_id

    def remove(self, pointer_id: str) -> None:
        """Publish a peer no longer."""
        self.seq += 1
        del self.pointers[pointer_id]
        removal = {"id": pointer_id, "epoch": EPOCH, "seq": self.seq}
        self.removed.append(self.sign("removal", removal))

    def position(self, age: float = 0) -> dict[str, Any]:
        """The checkpoint, and the totals that belong to it."""
        at = time_text(-age)
        checkpoint = {"seq": self.seq, "epochs": [EPOCH], "issued_at": at}
        listed = {"epoch": EPOCH, "listed": len(self.pointers), "expires_at": time_text(3_600)}
        totals = {"seq": self.seq, "issued_at": at, "epochs": [listed]}
        return {
            "checkpoint": self.sign("checkpoint", checkpoint),
            "totals": self.sign("totals", totals),
        }


@dataclass(slots=True)
class Replica:
    """Answers requests for what a publisher has; what it hides and changes is up to the test."""

    publisher: Publisher
    withheld: set[str] = field(default_factory=set)
    lost_blobs: bool = False
    forged: bool = False
    swapped: bool = False
    age: float = 0
    is_down: bool = False
    page: int = 2

    def __call__(self, request: Request) -> bytes:
        if self.is_down:
            return answer(b"", 502)
        if request.headers.get("authorization") != f"Bearer {reader_token(SECRET)}":
            return problem("unauthorized", 401)
        url = urlsplit(request.target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        *_, kind, last = url.path.split("/")
        if last == "pointers":
            return json_answer(self._list(query))
        if kind == "pointers":
            pointer = self._pointer(last)
            return problem("not_found", 404) if pointer is None else json_answer(pointer)
        if self.lost_blobs or last not in self.publisher.blobs:
            return problem("not_found", 404)
        return answer(self.publisher.blobs[last], content_type="application/octet-stream")

    def _pointer(self, asked: str) -> dict[str, Any] | None:
        shown = self._shown()
        if self.swapped:
            return next(each for key, each in shown.items() if key != asked)
        return shown.get(asked)

    def _shown(self) -> dict[str, dict[str, Any]]:
        shown = {
            key: value
            for key, value in sorted(self.publisher.pointers.items())
            if key not in self.withheld
        }
        if self.forged:
            return {key: {**value, "metadata": {"x": 1}} for key, value in shown.items()}
        return shown

    def _list(self, query: dict[str, str]) -> dict[str, Any]:
        seq = self.publisher.seq
        position = {"since": str(seq), **self.publisher.position(self.age)}
        if "since" in query:
            since = int(query["since"])
            changed = [each for each in self._shown().values() if each["seq"] > since]
            removed = [each for each in self.publisher.removed if each["seq"] > since]
            return {"pointers": changed, "removed": removed, "next_cursor": None, **position}
        shown = [each for key, each in self._shown().items() if key > query.get("cursor", "")]
        page = shown[: self.page]
        following = page[-1]["id"] if len(shown) > self.page else None
        return {"pointers": page, "removed": [], "next_cursor": following, **position}
