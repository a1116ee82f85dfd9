"""Muster's SDK for Python: `connect_peer` joins a mesh and runs its tasks; `controller` submits tasks and administers a mesh."""

from muster._answers.admission import (
    AllowEntry,
    AuditView,
    DenyEntry,
    JoinKeyView,
    NewJoinKeyView,
    NewTokenView,
    OwnerLimits,
    TokenView,
)
from muster._answers.alerts import AlertView
from muster._answers.bulk import FailuresView
from muster._answers.callbacks import CallbackSecretView, CallbackView
from muster._answers.cells import CellsView, CellView
from muster._answers.choices import WhyView
from muster._answers.deliveries import (
    DeliveryView,
    DryRun,
    KeptDelivery,
    RefusedDelivery,
    RefusedList,
)
from muster._answers.dials import DialView
from muster._answers.discovery import DiscoveryKeys, PeerRecord, PointerView
from muster._answers.events import (
    AdmissionEventView,
    AlertEventView,
    CircuitEventView,
    EventView,
    PeerEventView,
    TaskEventView,
)
from muster._answers.kinds import KindLoadView, KindSettingsView, TaskStats
from muster._answers.mesh import MeshView, StorageView
from muster._answers.names import AuthMode, DeliveryOutcome, Scope, TaskState
from muster._answers.peers import PairRttView, PeerAnswer, PeerView, RevokedPeer
from muster._answers.scores import ScoreView
from muster._answers.task_events import CallbackEvent, CallbackTask
from muster._answers.tasks import AttemptView, RefusedTask, SubmittedTask, Task, TaskSummary
from muster._answers.traces import TaskTrace
from muster._answers.webhooks import WebhookSourceView
from muster._client.controller import Controller, controller
from muster._client.listing import Listing
from muster._client.task_options import BatchTask, BulkOutcome, RunOptions, SubmitOptions
from muster._client.tasks import has_ended
from muster._connection.failure import ConnectFailure, ConnectFailureCode
from muster._crypto.identity import KeyPair, PrivateKey, generate_identity, identity_from
from muster._discovery.errors import (
    Degraded,
    DiscoveryError,
    DiscoveryFailure,
    DiscoveryIncomplete,
    degraded_text,
)
from muster._discovery.options import (
    Discovered,
    DiscoveryDegraded,
    DiscoveryRecovered,
    KeySource,
    PeerFound,
    PeerGone,
)
from muster._discovery.reader import DiscoveredPeersResult, DiscoveryReader
from muster._events.options import GapEvent, MeshEvent
from muster._handlers.context import TaskCancelledError, TaskContext
from muster._handlers.handlers import Handler, RunIn, handler
from muster._http.urls import MeshLink, read_mesh_link
from muster._json import Json, JsonText
from muster._peer.adverts import KnownPeer, MeasuredRtt
from muster._peer.connect_peer import connect_peer
from muster._peer.events import PeerEvent
from muster._peer.peer import Peer
from muster._peer.pin_file import default_pin_file
from muster._peer.probe import probe_capabilities
from muster._peer.session_loop import PeerState
from muster._protocol.inbound_types import JoinedMesh, Role
from muster._stmf.errors import StmfError
from muster._version import __version__
from muster._webhooks.deliver import deliver, new_webhook_secret, sign_delivery
from muster._webhooks.verify_callback import verify_callback
from muster.errors import (
    FinalError,
    InsecureWarning,
    MissingCellsWarning,
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
    "AdmissionEventView",
    "AlertEventView",
    "AlertView",
    "AllowEntry",
    "AttemptView",
    "AuditView",
    "AuthMode",
    "BatchTask",
    "BulkOutcome",
    "CallbackEvent",
    "CallbackSecretView",
    "CallbackTask",
    "CallbackView",
    "CellView",
    "CellsView",
    "CircuitEventView",
    "ConnectFailure",
    "ConnectFailureCode",
    "Controller",
    "Degraded",
    "DeliveryOutcome",
    "DeliveryView",
    "DenyEntry",
    "DialView",
    "Discovered",
    "DiscoveredPeersResult",
    "DiscoveryDegraded",
    "DiscoveryError",
    "DiscoveryFailure",
    "DiscoveryIncomplete",
    "DiscoveryKeys",
    "DiscoveryReader",
    "DiscoveryRecovered",
    "DryRun",
    "EventView",
    "FailuresView",
    "FinalError",
    "GapEvent",
    "Handler",
    "InsecureWarning",
    "JoinKeyView",
    "JoinedMesh",
    "Json",
    "JsonText",
    "KeptDelivery",
    "KeyPair",
    "KeySource",
    "KindLoadView",
    "KindSettingsView",
    "KnownPeer",
    "Listing",
    "MeasuredRtt",
    "MeshEvent",
    "MeshLink",
    "MeshView",
    "MissingCellsWarning",
    "MusterApiError",
    "MusterError",
    "NewJoinKeyView",
    "NewTokenView",
    "OptionsError",
    "OwnerLimits",
    "PairRttView",
    "Peer",
    "PeerAnswer",
    "PeerError",
    "PeerErrorCode",
    "PeerEvent",
    "PeerEventView",
    "PeerFound",
    "PeerGone",
    "PeerRecord",
    "PeerState",
    "PeerView",
    "PointerView",
    "PrivateKey",
    "RefusedDelivery",
    "RefusedList",
    "RefusedTask",
    "RevokedPeer",
    "Role",
    "RunIn",
    "RunOptions",
    "Scope",
    "ScoreView",
    "StmfError",
    "StorageView",
    "SubmitOptions",
    "SubmittedTask",
    "Task",
    "TaskCancelledError",
    "TaskContext",
    "TaskError",
    "TaskEventView",
    "TaskFailed",
    "TaskState",
    "TaskStats",
    "TaskSummary",
    "TaskTrace",
    "TokenView",
    "WaitTimeout",
    "WebhookSourceView",
    "WhyView",
    "__version__",
    "connect_peer",
    "controller",
    "default_pin_file",
    "degraded_text",
    "deliver",
    "generate_identity",
    "handler",
    "has_ended",
    "identity_from",
    "new_webhook_secret",
    "probe_capabilities",
    "read_mesh_link",
    "sign_delivery",
    "verify_callback",
]
