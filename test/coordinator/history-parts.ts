import { expect } from "vitest";
import type { TestMesh } from "./mesh.ts";
import type { Model, ModelPeer } from "./model.ts";

export { exactJsonOf } from "../../src/base/json-text/json-text.ts";

/** An offer that was made, which may be answered in time, late, twice or by another peer. */
export interface PastOffer {
  readonly taskId: string;
  readonly fence: number;
  readonly peer: ModelPeer;
  readonly epoch: number;
}

/** How a peer joins that can run every task, but for its capabilities. */
export const HEALTHY_JOIN = {
  type: "join",
  role: "worker",
  slots: 2,
  prefetch: true,
  heldList: "no_list",
  speaksMuster: true,
  kinds: ["*"],
  rttMs: 1,
} as const;

/**
 * Restarts the coordinator's object. It loses its memory, and with it what was not written: the newest outcomes and beginnings of sessions, which
 * the model forgets, too, and nothing else.
 */
export function restart(mesh: TestMesh, model: Model): void {
  mesh.restart();
  for (const peer of model.peers.values()) {
    const stored = mesh.registry.peers.get(peer.id);
    if (stored === null) continue;
    expect(stored.successes).toBeLessThanOrEqual(peer.successes);
    expect(stored.failures).toBeLessThanOrEqual(peer.failures + peer.unsureFailures);
    const { successes, failures } = stored;
    const joinedAt = mesh.registry.observed.get(peer.id)?.connectedAt ?? -Infinity;
    expect(joinedAt).toBeLessThanOrEqual(peer.joinedAt);
    Object.assign(peer, { successes, failures, unsureFailures: 0, joinedAt });
  }
}
