"""Muster's SDK for Python: `connect_peer` joins a mesh and runs its tasks; `controller` submits tasks and administers a mesh."""

from muster._connection.failure import ConnectFailure, ConnectFailureCode
from muster._crypto.identity import KeyPair, PrivateKey, generate_identity, identity_from
from muster._handlers.context import TaskCancelledError, TaskContext
from muster._handlers.handlers import Handler, RunIn, handler
from muster._http.urls import MeshLink, read_mesh_link
from muster._json import Json, JsonText
from muster._peer.adverts import KnownPeer, MeasuredRtt
from muster._peer.events import PeerEvent
from muster._peer.peer import Peer, connect_peer
from muster._peer.pin_file import default_pin_file
from muster._peer.probe import probe_capabilities
from muster._peer.session_loop import PeerState
from muster._protocol.inbound import JoinedMesh, Role
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
    "ConnectFailure",
    "ConnectFailureCode",
    "FinalError",
    "Handler",
    "JoinedMesh",
    "Json",
    "JsonText",
    "KeyPair",
    "KnownPeer",
    "MeasuredRtt",
    "MeshLink",
    "MusterApiError",
    "MusterError",
    "OptionsError",
    "Peer",
    "PeerError",
    "PeerErrorCode",
    "PeerEvent",
    "PeerState",
    "PrivateKey",
    "Role",
    "RunIn",
    "TaskCancelledError",
    "TaskContext",
    "TaskError",
    "TaskFailed",
    "WaitTimeout",
    "__version__",
    "connect_peer",
    "default_pin_file",
    "generate_identity",
    "handler",
    "identity_from",
    "probe_capabilities",
    "read_mesh_link",
]
