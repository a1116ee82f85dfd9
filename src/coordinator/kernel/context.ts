import type { Bytes } from "../../base/bytes.ts";
import type { Millis, Random, RandomBytes } from "../../base/clock.ts";
import type { PublicField } from "../../protocol/discovery.ts";
import type { AuthMode } from "../../protocol/http.ts";
import type { PeerId } from "../../protocol/ids.ts";
import type { Place } from "../../base/place.ts";
import type { Weights } from "../../scoring/score.ts";
import type { Policy } from "../../tasks/policy.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Effect } from "./effects.ts";
import type { Marks } from "./marks.ts";

/** What the operator configured, as the coordinator needs it. */
export interface CoordinatorConfig {
  /** Holds until PUT /v1/auth-mode says otherwise. */
  readonly authMode: AuthMode;
  /** Where the mesh is, for distances; null when not configured. */
  readonly place: Place | null;
  /** IDs of the mesh's own keys: there are two while it rotates. */
  readonly meshIds: readonly PeerId[];
  /** How a task's peer is chosen, and what a score weighs. */
  readonly policy: Policy;
  readonly weights: Weights;
  /** Peers that may be connected at once. */
  readonly peersMax: number;
  /** Dialled sessions at once. */
  readonly dialsMax: number;
  /** Whether URLs that the mesh calls may lead to this machine (protocol/outbound-url). */
  readonly allowLoopback: boolean;
  /** Peers that may come back a second, when many do. */
  readonly reconnectsPerSecond: number;
  /** How long a peer that is away is remembered. */
  readonly retention: Millis;
  /** Makes and checks tokens and join keys. */
  readonly credentialKey: Bytes;
  /** Signs callbacks, and seals the secrets that are given with tasks (webhooks/callback). */
  readonly callbackKey: Bytes;
  readonly discovery: DiscoveryConfig;
}

/** Which peers are members, who find and open others: those listed by key, all that are let in, none. */
export type DiscoveryMembers = "listed" | "all" | "none";

export interface DiscoveryConfig {
  /** Seals the epochs' secrets. */
  readonly rootKey: Bytes;
  /** Ed25519 private key, and its public half. */
  readonly signingKey: Bytes;
  readonly verifyingKey: Bytes;
  readonly members: DiscoveryMembers;
  /** What is public of peers, as far as enough of them share it. */
  readonly publicFields: readonly PublicField[];
  /** Whether there is a store for replicas, to which all is copied. */
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
