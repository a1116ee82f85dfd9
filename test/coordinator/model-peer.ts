import { MINUTE, SECOND, type Millis } from "../../src/base/clock.ts";
import type { PeerState } from "../../src/protocol/http.ts";
import type { PeerId } from "../../src/protocol/ids.ts";
import type { Role } from "../../src/protocol/messages.ts";

export interface ModelPeer {
  readonly id: PeerId;
  /** Whether the registry has a record of it. */
  hasRecord: boolean;
  state: PeerState;
  /** The epoch of the newest session, also after the record was removed. */
  epoch: number;
  role: Role;
  mayAssign: boolean;
  capabilities: readonly string[];
  slots: number;
  prefetch: boolean;
  kinds: readonly string[];
  successes: number;
  failures: number;
  /** How many timeouts of it may count or not, by how long it had the task (AS120): the coordinator decides. */
  unsureFailures: number;
  /** Whether its last session announced `muster`; a plain go-p2p node does not. */
  speaksMuster: boolean;
  /** When its last session began. */
  joinedAt: Millis;
  /** Whether its last session took the peer over from a connected one. */
  tookOver: boolean;
  /** The times at which the peer fell silent or flapped. */
  silentAt: readonly Millis[];
  denied: boolean;
  allowlistRoles: readonly Role[] | null;
}

export const isConnected = ({ state }: ModelPeer): boolean =>
  state === "active" || state === "suspect";

/** How long the peer stays suspect although it answers (LV9). */
export function suppressionOf({ silentAt }: ModelPeer, now: Millis): Millis {
  const weights = silentAt.map((at) => 0.5 ** ((now - at) / (10 * MINUTE)));
  const weight = weights.reduce((sum, each) => sum + each, 0);
  return weight <= 1.5 ? 0 : Math.min(15 * MINUTE, 30 * SECOND * 2 ** (weight - 2));
}

export const unknownPeer = (id: PeerId): ModelPeer => ({
  id,
  hasRecord: false,
  state: "discovered",
  epoch: 0,
  role: "worker",
  mayAssign: false,
  capabilities: [],
  slots: 0,
  prefetch: false,
  kinds: ["*"],
  successes: 0,
  failures: 0,
  unsureFailures: 0,
  speaksMuster: true,
  joinedAt: -Infinity,
  tookOver: false,
  silentAt: [],
  denied: false,
  allowlistRoles: null,
});
