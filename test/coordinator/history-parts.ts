import { expect } from "vitest";
import type { TestMesh } from "./mesh.ts";
import type { Model, ModelPeer } from "./model.ts";
import type { Operation } from "./operations.ts";

export { exactJsonOf } from "../../src/base/json-text/json-text.ts";

/** An offer that was made, which may be answered in time, late, twice or by another peer. */
export interface PastOffer {
  readonly taskId: string;
  readonly fence: number;
  readonly peer: ModelPeer;
  readonly epoch: number;
}

/** How a peer joins that can run every task. */
const HEALTHY_JOIN: Omit<Operation & { type: "join" }, "peer"> = {
  type: "join",
  role: "worker",
  capabilities: ["gpu", "tpu"],
  slots: 2,
  prefetch: true,
  heldList: "no_list",
  speaksMuster: true,
  kinds: ["*"],
  rttMs: 1,
};

/** Operations after which every peer can run every task. Each leaves first: a session that took a key over keeps it while it answers. */
export const healthyRejoins = (peers: number): Operation[] => [
  { type: "mode", mode: "open" },
  ...Array.from({ length: peers }, (_, peer): Operation[] => [
    { type: "leave", peer, late: false },
    { ...HEALTHY_JOIN, peer },
  ]).flat(),
];

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
