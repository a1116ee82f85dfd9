"""Made of the schemas of src/protocol by test/python/answers.test.ts, which says how to renew it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from muster._answers.names import AuthMode, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemIssue:
    """`ProblemView.issues` of the API."""

    path: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemView:
    """RFC 9457."""

    type: str
    """A path of this mesh that explains the code: GET it, without a token."""
    title: str
    status: int
    code: str
    """Stable: distinguish errors by this field."""
    detail: str
    retry_after: float | None = None
    time: str | None = None
    """The mesh's time, if the caller's clock is wrong."""
    issues: tuple[ProblemIssue, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshView:
    """`MeshView` of the API."""

    name: str
    public_url: str | None = None
    """Where others reach the mesh, without a slash at the end, if the operator says so
    (PUBLIC_URL).
    """
    id: str
    """First 16 bytes of SHA-256 of the peer's public key, in hex."""
    public_key: str
    """The mesh's identity key; clients pin it."""
    discovery_key: str
    """The public key of the mesh's discovery key, which protects the discovery keys of all epochs.
    """
    signing_key: str
    """Ed25519."""
    protocols: tuple[Protocol, ...]
    time: str
    """RFC 3339, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshProofView:
    """`MeshProofView` of the API."""

    signing_key: str
    """Ed25519."""
    time: str
    """RFC 3339, UTC."""
    proof: str
    """HMAC-SHA256(SHA-256("muster/2 mesh" + X25519(identity key, challenge)), challenge +
    signing_key + time), in hex.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerBytes:
    """`StorageView.owners` of the API."""

    owner: str
    """A token's ID, `admin`, a peer's ID, or `webhook:` and the source's name."""
    bytes: int
    max_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageView:
    """`StorageView` of the API."""

    used_bytes: int
    """Size of the coordinator's database, without free pages."""
    limit_bytes: int
    """`STORAGE_LIMIT_MB`."""
    removes_above_bytes: int
    """Above this, the oldest ended tasks are removed."""
    accepts_up_to_bytes: int
    """Above this, no task is accepted."""
    state: Literal["ok", "making_room", "full"]
    """`making_room`: ended tasks are being removed; `full`: no task is accepted until there is
    room.
    """
    payload_retention_hours: float
    """How long the payload of an ended task is kept."""
    owners: tuple[OwnerBytes, ...]
    """The owners whose tasks that have not ended have the most bytes, at most 20."""
    missing_cells: tuple[int, ...] | None = None
    """The cells of the mesh that did not answer.

    What they have is not in this answer. Absent when every cell has answered.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainedMesh:
    """`DrainedMesh` of the API."""

    sessions: int
    """Sessions that were ended."""
    missing_cells: tuple[int, ...] | None = None
    """The cells of the mesh that did not answer.

    What they have is not in this answer. Absent when every cell has answered.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthModeBody:
    """`AuthModeBody` of the API."""

    mode: AuthMode
