/**
 * Muster's SDK: `connectPeer` joins a mesh and runs its tasks; `controller` submits tasks and administers a mesh over HTTP.
 * It uses Web-standard APIs only, so that Node, Deno and browsers import it without changes.
 */
export { connectPeer } from "./peer/connect-peer.ts";
export type { DrainPeerOptions, Peer, PeerState } from "./peer/peer-handle.ts";
export type { Announcement, PeerOptions } from "./peer/peer-options.ts";
export type { MeasuredRtt } from "./peer/rtt-report.ts";
export type { PeerTasks } from "./peer/peer-tasks.ts";
export type { KnownPeer } from "./peer/advert.ts";
export type { Handler, Handlers, TaskContext } from "./work/handler.ts";
export type { JoinedMesh, PeerEvent, PeerEventListener } from "./peer/peer-events.ts";
export { controller, MeshClient } from "./clients/mesh-client.ts";
export type { ControllerOptions, WaitOptions } from "./clients/options.ts";
export type { TasksClient } from "./clients/tasks-client.ts";
export type { SubmitAndWaitOptions, TaskFilter } from "./clients/task-options.ts";
export type { DrainOptions, PeerAnswer, PeersClient } from "./clients/peers-client.ts";
export type { DialOptions, DialsClient } from "./clients/dials-client.ts";
export type {
  CallbackOwnerOptions,
  CallbacksClient,
  RotateCallbackSecretOptions,
} from "./clients/callbacks-client.ts";
export type { KindOptions, KindsClient } from "./clients/kinds-client.ts";
export type { OwnerLimitOptions } from "./clients/owner-limits.ts";
export type { AllowlistClient, AllowOptions } from "./clients/allowlist-client.ts";
export type { CreateTokenOptions, TokenFilter, TokensClient } from "./clients/tokens-client.ts";
export type { JoinKeyOptions, JoinKeysClient } from "./clients/join-keys-client.ts";
export type {
  DeliveryFilter,
  DryRun,
  ReplayOptions,
  WebhooksClient,
} from "./clients/webhooks-client.ts";
export type { DiscoveryClient } from "./clients/discovery-client.ts";
export type { AuditClient } from "./clients/audit-client.ts";
export type { SettingsClient } from "./clients/settings-client.ts";
export type { Listing } from "./http/paging.ts";
export { hasEnded, type Task } from "./tasks/task.ts";
export { DiscoveryError } from "./discovery/discovery-error.ts";
export {
  degradedText,
  DiscoveryIncomplete,
  type Degraded,
  type DiscoveryFailure,
} from "./discovery/degraded.ts";
export {
  discover,
  DiscoveryReader,
  type DiscoveredPeersResult,
  type DiscoveryOptions,
  type KeySource,
} from "./discovery/discovery-reader.ts";
export type { Discovered, DiscoverOptions } from "./discovery/discovered.ts";
export type { DiscoveryKeys, PointerView } from "../protocol/http.ts";
export type { PeerRecord } from "../stmf/peer-record.ts";
export type {
  BulkOptions,
  BulkOutcome,
  BulkRetryOptions,
  CancelSelection,
  FailuresFilter,
  RetrySelection,
} from "./tasks/bulk.ts";
export type { RetryOptions } from "./tasks/retry-options.ts";
export type { RunOptions } from "./tasks/run-task.ts";
export type { SubmitOptions } from "./tasks/submission.ts";
export {
  deliver,
  newWebhookSecret,
  signDelivery,
  type DeliveryOptions,
} from "./webhooks/deliver.ts";
export {
  verifyCallback,
  type CallbackDelivery,
  type CallbackEvent,
  type VerifyOptions,
} from "./webhooks/verify-callback.ts";
export {
  MusterApiError,
  OptionsError,
  PeerError,
  TaskError,
  TaskFailed,
  WaitTimeout,
  type PeerErrorCode,
} from "./errors.ts";
export { bytes } from "./bytes.ts";
export { generateIdentity, identityFrom, type PrivateKey } from "./keys.ts";
export type { KeyPair } from "../crypto/identity.ts";
export { readMeshLink, type MeshLink } from "./mesh-link.ts";
export type { Platform, SocketLike } from "./platform.ts";
export { webThreads } from "./threads/web-thread.ts";
export { nodeThreads, type NodeThreadOptions } from "./threads/node-thread.ts";
export type { ConnectFailure, ConnectFailureCode } from "./connection/connect-failure.ts";
export type { SpawnThread, Thread, ThreadListener } from "./threads/thread.ts";
export type { Json, JsonObject } from "../base/json.ts";
export type {
  EventFilterOptions,
  EventOptions,
  GapEvent,
  MeshEvent,
} from "./events/event-options.ts";
export { JsonText } from "../base/json-text/json-text.ts";
export type {
  AlertNotice,
  AlertView,
  CellsView,
  CellView,
  AllowEntry,
  AttemptView,
  AuthMode,
  CallbackView,
  DeliveryOutcome,
  DeliveryView,
  RefusedDelivery,
  RefusedList,
  FailuresView,
  KeptDelivery,
  DenyEntry,
  DialView,
  EventView,
  MeshView,
  PairRttView,
  PeerView,
  RevokedPeer,
  TaskEvent,
  TaskStats,
  TaskSummary,
  TaskTraceView as TaskTrace,
  WebhookSourceView,
} from "../protocol/http.ts";
export type { Role } from "../protocol/messages.ts";
