"""Muster's SDK for Python: `connect_peer` joins a mesh and runs its tasks; `controller` submits tasks and administers a mesh."""

from muster._crypto.identity import KeyPair, PrivateKey, generate_identity, identity_from
from muster._http.urls import MeshLink, read_mesh_link
from muster._json import Json, JsonText
from muster._version import __version__
from muster.errors import (
    FinalError,
    MusterApiError,
    MusterError,
    OptionsError,
    PeerError,
    PeerErrorCode,
    TaskError,
    TaskFailed,
    WaitTimeout,
)

__all__ = [
    "FinalError",
    "Json",
    "JsonText",
    "KeyPair",
    "MeshLink",
    "MusterApiError",
    "MusterError",
    "OptionsError",
    "PeerError",
    "PeerErrorCode",
    "PrivateKey",
    "TaskError",
    "TaskFailed",
    "WaitTimeout",
    "__version__",
    "generate_identity",
    "identity_from",
    "read_mesh_link",
]
