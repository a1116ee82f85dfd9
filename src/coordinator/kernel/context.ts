import type { AlertThresholds } from "../../alerts/thresholds.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Millis, Random, RandomBytes } from "../../base/clock.ts";
import type { PublicField } from "../../protocol/discovery.ts";
import type { AuthMode } from "../../protocol/http.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { OutboundAllow } from "../../protocol/outbound-allow.ts";
import type { DiscoveryMembers } from "../../peers/discovery-rights.ts";
import type { Place } from "../../base/place.ts";
import type { Weights } from "../../scoring/score.ts";
import type { Policy } from "../../tasks/policy.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Effect } from "./effects.ts";
import type { Marks } from "./marks.ts";

/** The operator's configuration, as the coordinator needs it. */
export interface CoordinatorConfig {
  /** Applies until `PUT /v1/auth-mode` sets another one. */
  readonly authMode: AuthMode;
  /** Where the mesh is, for distances; null when not configured. */
  readonly place: Place | null;
  /** How many cells the operator wants. */
  readonly cells: number;
  /** IDs of the mesh's own keys: there are two while it rotates. */
  readonly meshIds: readonly PeerId[];
  /** How a task's peer is chosen, and the weights of a score. */
  readonly policy: Policy;
  readonly weights: Weights;
  /** Peers that may be connected at once. */
  readonly peersMax: number;
  /** Dialed sessions at once. */
  readonly dialsMax: number;
  /** Whether URLs that the mesh calls may lead to this machine (`protocol/outbound-url.ts`). */
  readonly allowLoopback: boolean;
  /** Hosts that they may lead to although they are not public. */
  readonly outboundAllow: OutboundAllow;
  /** Peers that may reconnect per second after a mass disconnect. */
  readonly reconnectSpread: Millis;
  /** How long the record of a disconnected peer is kept. */
  readonly retention: Millis;
  readonly storage: StorageConfig;
  /** When alerts fire. */
  readonly alerts: AlertThresholds;
  /** URLs that are told when they fire and end. */
  readonly alertWebhooks: readonly string[];
  /** Makes and checks tokens and join keys. */
  readonly credentialKey: Bytes;
  /** Signs callbacks, and seals the secrets that are given with tasks (`webhooks/callback.ts`). */
  readonly callbackKey: Bytes;
  readonly discovery: DiscoveryConfig;
  /** Null when the mesh sends no spans. */
  readonly tracing: TracingConfig | null;
}

interface TracingConfig {
  /** The share of traces whose spans are sent, 0..1, of tasks whose submission names no trace. */
  readonly sample: number;
  /** What sends them, for the receiver. */
  readonly meshName: string;
  readonly meshId: string;
}

interface StorageConfig {
  /** Bytes that the coordinator's database may have. */
  readonly limit: number;
  /** How long the payload of an ended task is kept. */
  readonly payloadRetention: Millis;
}

interface DiscoveryConfig {
  /** Seals the epochs' secrets. */
  readonly rootKey: Bytes;
  /** Ed25519 private key, and its public half. */
  readonly signingKey: Bytes;
  readonly verifyingKey: Bytes;
  readonly members: DiscoveryMembers;
  /** Metadata of peers that is public, as far as enough peers share it. */
  readonly publicFields: readonly PublicField[];
  /** Whether there is a store for replicas, to which everything published is copied. */
  readonly replicated: boolean;
}

/** What every command works on. Handlers read and write the registry, push effects for after the commit, and set marks. */
export interface Context {
  readonly registry: Registry;
  readonly config: CoordinatorConfig;
  readonly now: Millis;
  readonly random: Random;
  readonly randomBytes: RandomBytes;
  /** Who gave the command, as the audit log names it: `admin`, `token:` + ID, `peer:` + ID, `mesh`. */
  readonly actor: string;
  readonly effects: Effect[];
  readonly marks: Marks;
}

export const authMode = ({ registry, config }: Context): AuthMode =>
  registry.settings.authMode() ?? config.authMode;
