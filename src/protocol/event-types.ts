import type { MeshEvent } from "./events.ts";
import { PEER_STATES } from "./http/peers.ts";
import { TASK_STATES } from "./http/tasks.ts";

export const TASK_EVENT_TYPES = [
  ...TASK_STATES.map((state) => `task.${state}` as const),
  "task.progress",
] as const;
export const PEER_EVENT_TYPES = [
  ...PEER_STATES.map((state) => `peer.${state}` as const),
  "peer.scheduling",
] as const;
export const ADMISSION_EVENT_TYPES = [
  "peer.removed",
  "allowlist.added",
  "allowlist.removed",
  "denylist.added",
  "denylist.removed",
] as const;
export const CIRCUIT_EVENT_TYPES = ["circuit.opened", "circuit.closed"] as const;

export const ALERT_EVENT_TYPES = ["alert.firing", "alert.resolved"] as const;

/** The types of all events. */
export const EVENT_TYPES: readonly MeshEvent["type"][] = [
  ...TASK_EVENT_TYPES,
  ...PEER_EVENT_TYPES,
  ...ADMISSION_EVENT_TYPES,
  ...CIRCUIT_EVENT_TYPES,
  ...ALERT_EVENT_TYPES,
];
