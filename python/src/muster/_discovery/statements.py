"""What a mesh signs with its Ed25519 key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from muster._base.bytes import from_hex
from muster._json.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

StatementKind = Literal["pointer", "removal", "checkpoint", "totals", "result"]
"""The kind is part of the signed bytes, so that one kind can't be used as another."""

_SIGNATURE_BYTES = 64


class Verifier:
    """Verifies signatures of one mesh's statements."""

    def __init__(self, signing_key: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(signing_key)

    def signed(self, kind: StatementKind, statement: Mapping[str, Any]) -> bool:
        """Whether the mesh has signed a statement, which contains its signature."""
        body = {name: value for name, value in statement.items() if name != "signature"}
        signature = statement.get("signature")
        return self._verify(kind, body, signature if isinstance(signature, str) else "")

    def result(self, statement: Mapping[str, Any], signature: str) -> bool:
        """Whether the mesh has signed what is said of a task's result."""
        return self._verify("result", statement, signature)

    def _verify(self, kind: StatementKind, body: Mapping[str, Any], signature: str) -> bool:
        data = from_hex(signature)
        if data is None or len(data) != _SIGNATURE_BYTES:
            return False
        try:
            self._key.verify(data, f"muster/{kind}/1\n{canonical_json(body)}".encode())
        except (InvalidSignature, ValueError):
            return False
        return True
