import type { ModelPeer } from "./model.ts";

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
  rttMs: 1,
} as const;
