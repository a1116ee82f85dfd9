import type { MetricFamily } from "./family.ts";
import { KINDS } from "./family.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** How an attempt ends: the final states of `AttemptState`. */
const ATTEMPT_OUTCOMES = [
  "succeeded",
  "failed",
  "timed_out",
  "refused",
  "unanswered",
  "lost",
  "abandoned",
  "reclaimed",
  "cancelled",
] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

const TASK_ENDS = ["succeeded", "failed", "cancelled", "expired"] as const;

/** How a task was submitted: over HTTP, by a peer, by a webhook. */
const TASK_SOURCES = ["api", "peer", "webhook"] as const;

/** How far the attempt is that a peer holds: offered, waiting at the peer for a slot, running. */
export const LEASE_STATES = ["offered", "prefetched", "running"] as const;

/** Queue, attempts and leases. */
export const TASK_FAMILIES = {
  muster_tasks_waiting: {
    type: "gauge",
    help: "Queued tasks that may be offered now.",
    unit: null,
    labels: { kind: KINDS },
  },
  muster_tasks_scheduled: {
    type: "gauge",
    help: "Queued tasks that may not be offered yet: their start time or the pause after a failure has not passed.",
    unit: null,
    labels: { kind: KINDS },
  },
  muster_tasks_running: {
    type: "gauge",
    help: "Tasks that peers hold: offered, prefetched or running.",
    unit: null,
    labels: { kind: KINDS },
  },
  muster_tasks_oldest_wait_seconds: {
    type: "gauge",
    help: "How long the oldest of the queued tasks that may be offered now has waited; 0 if there is none.",
    unit: "seconds",
    labels: { kind: KINDS },
  },
  muster_leases: {
    type: "gauge",
    help: "Leases by how far the attempt is: offered, prefetched (it waits at its peer for a slot), running.",
    unit: null,
    labels: { state: LEASE_STATES },
  },
  muster_tasks_submitted: {
    type: "counter",
    help: "Tasks that were accepted, by how they were submitted.",
    unit: null,
    labels: { kind: KINDS, source: TASK_SOURCES },
    isWritten: true,
  },
  muster_tasks_ended: {
    type: "counter",
    help: "Tasks that ended. A task that is retried after its end can end again.",
    unit: null,
    labels: { kind: KINDS, state: TASK_ENDS },
    isWritten: true,
  },
  muster_attempts_ended: {
    type: "counter",
    help: "Attempts that ended, by outcome.",
    unit: null,
    labels: { kind: KINDS, outcome: ATTEMPT_OUTCOMES },
    isWritten: true,
  },
  muster_task_assignment_delay_seconds: {
    type: "histogram",
    help: "Time from when a task may be offered until its first offer.",
    unit: "seconds",
    labels: { kind: KINDS },
    bounds: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR],
    isWritten: true,
  },
  muster_task_duration_seconds: {
    type: "histogram",
    help: "Time from when a task may be offered until it succeeds, with all attempts.",
    unit: "seconds",
    labels: { kind: KINDS },
    bounds: [
      0.05,
      0.1,
      0.5,
      1,
      5,
      10,
      30,
      MINUTE,
      5 * MINUTE,
      15 * MINUTE,
      HOUR,
      4 * HOUR,
      24 * HOUR,
    ],
    isWritten: true,
  },
} as const satisfies Record<string, MetricFamily>;
