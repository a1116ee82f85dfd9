/**
 * Muster's SDK: a peer that joins a mesh and does its tasks, and a controller that gives tasks over HTTP. Web-standard
 * APIs only, so browsers, Deno and Node import it as it stands.
 */
export {
  connectPeer,
  type Announcement,
  type MeasuredRtt,
  type Peer,
  type PeerOptions,
  type PeerState,
} from "./peer/connect-peer.ts";
export type { Assigner } from "./peer/session-tasks.ts";
export type { KnownPeer } from "./peer/advert.ts";
export type { Handler, Handlers, TaskContext } from "./work/task-runner.ts";
export type { JoinedMesh, PeerEvent, PeerEventListener } from "./peer/peer-events.ts";
export { Controller, controller } from "./clients/mesh-client.ts";
export { hasEnded, type Task } from "./tasks/task.ts";
export type {
  AllowOptions,
  ControllerOptions,
  DialOptions,
  WaitOptions,
} from "./clients/options.ts";
export {
  discover,
  Discovery,
  DiscoveryError,
  type DiscoveryOptions,
  type KeySource,
} from "./discovery/discovery-reader.ts";
export type { Discovered, DiscoverOptions } from "./discovery/discovery-feed.ts";
export type { DiscoveryKeys, PointerView } from "../protocol/http.ts";
export type { PeerRecord } from "../stmf/peer-record.ts";
export type { RunOptions } from "./tasks/run-task.ts";
export type { AssignOptions } from "./tasks/submission.ts";
export {
  deliver,
  newWebhookSecret,
  signDelivery,
  type DeliveryOptions,
} from "./webhooks/deliver.ts";
export type { Explanations } from "./clients/explain-api.ts";
export type { ReplayOptions, Webhooks } from "./clients/webhook-client.ts";
export {
  verifyCallback,
  type CallbackDelivery,
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
export { generateIdentity, identityFrom, type PrivateKey } from "./keys.ts";
export type { KeyPair } from "../crypto/identity.ts";
export { readMeshLink, type MeshLink } from "./mesh-link.ts";
export type { Platform, SocketLike } from "./platform.ts";
export type { Json, JsonObject } from "../base/json.ts";
export type {
  AllowEntry,
  AttemptView,
  AuthMode,
  CallbackView,
  DeliveryOutcome,
  DeliveryView,
  DryRunView,
  KeptDelivery,
  DialView,
  MeshView,
  PairRttView,
  PeerView,
  TaskEvent,
  TaskSummary,
  WebhookSourceView,
} from "../protocol/http.ts";
export type { Role } from "../protocol/messages.ts";
