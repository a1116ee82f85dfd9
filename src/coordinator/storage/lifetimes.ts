import { DAY, HOUR, type Millis } from "../../base/clock.ts";
import { CORRELATED_PERIOD } from "../../peers/correlated-failures.ts";
import {
  ADVERTISED_RETENTION,
  API_TOKEN_RETENTION,
  AUDIT_RETENTION,
  CHOICE_RETENTION,
  CIRCUIT_RETENTION,
  TASK_RETENTION,
  TOMBSTONE_RETENTION,
  WEBHOOK_DELIVERY_RETENTION,
} from "../../protocol/constants.ts";
import { EXPIRED_KEY_RETENTION } from "../access/join-keys.ts";
import type { Context } from "../kernel/context.ts";
import { dueAfter, earliest, type DueScope, type Job } from "../kernel/job.ts";
import { removeTask } from "./make-room.ts";

/** Rows of one table that are removed in one tick. The next tick removes more. */
const ROWS_AT_ONCE = 1_000;
const TASKS_AT_ONCE = 500;
/** Rows that expire within this time are removed together, so that an idle mesh wakes at most once in it. */
const GROUPED: Millis = HOUR;

/** How long the rows of a table are kept. */
interface Lifetime {
  readonly table: string;
  /** When the first row expires: from then on `remove` removes it. Null when no row expires. */
  next(scope: DueScope): Millis | null;
  remove(context: Context): void;
}

/**
 * Every table whose rows have a lifetime and no job of their own. What has one: result uploads, peers, and everything published.
 */
export const LIFETIMES: readonly Lifetime[] = [
  {
    table: "tasks (payloads)",
    next: ({ registry, config }) =>
      dueAfter(registry.tasks.ended.oldestPayload(), config.storage.payloadRetention),
    remove: ({ registry, config, now }) =>
      registry.tasks.ended.dropPayloads(now - config.storage.payloadRetention, TASKS_AT_ONCE),
  },
  {
    table: "tasks",
    next: ({ registry }) => dueAfter(registry.tasks.ended.oldest(), TASK_RETENTION + 1),
    remove(context) {
      const { registry, now } = context;
      for (const task of registry.tasks.ended.endedBefore(now - TASK_RETENTION, TASKS_AT_ONCE))
        removeTask(context, task);
    },
  },
  {
    table: "idempotency",
    next: ({ registry }) => registry.idempotency.oldest(),
    remove: ({ registry, now }) => registry.idempotency.prune(now, ROWS_AT_ONCE),
  },
  {
    table: "task_forwards",
    next: ({ registry }) => registry.taskForwards.oldest(),
    remove: ({ registry, now }) => registry.taskForwards.prune(now, ROWS_AT_ONCE),
  },
  {
    table: "choices",
    next: ({ registry }) => dueAfter(registry.choices.oldest(), CHOICE_RETENTION + 1),
    remove: ({ registry, now }) => registry.choices.prune(now - CHOICE_RETENTION, ROWS_AT_ONCE),
  },
  {
    table: "circuits",
    next: ({ registry }) => dueAfter(registry.circuits.oldestClosed(), CIRCUIT_RETENTION + 1),
    remove: ({ registry, now }) => registry.circuits.prune(now - CIRCUIT_RETENTION),
  },
  {
    table: "task_kinds",
    next: ({ registry }) => dueAfter(registry.kinds.oldest(), TASK_RETENTION + 1),
    remove({ registry, now }) {
      for (const kind of registry.kinds.prune(now - TASK_RETENTION))
        registry.serviceTimes.forgetKind(kind);
    },
  },
  {
    table: "correlated_failures",
    next: ({ registry }) => registry.correlatedFailures.nextOver(HOUR, CORRELATED_PERIOD),
    remove: ({ registry, now }) =>
      registry.correlatedFailures.prune(now - HOUR, now - CORRELATED_PERIOD),
  },
  {
    table: "tombstones",
    next: ({ registry }) => dueAfter(registry.tombstones.oldest(), TOMBSTONE_RETENTION + 1),
    remove: ({ registry, now }) =>
      registry.tombstones.prune(now - TOMBSTONE_RETENTION, ROWS_AT_ONCE),
  },
  {
    table: "aliases",
    next: ({ registry }) => registry.aliases.oldest(),
    remove: ({ registry, now }) => registry.aliases.prune(now),
  },
  {
    table: "audit",
    next: ({ registry }) => dueAfter(registry.audit.oldest(), AUDIT_RETENTION + 1),
    remove: ({ registry, now }) => registry.audit.prune(now - AUDIT_RETENTION),
  },
  {
    table: "join_keys",
    next: ({ registry }) => dueAfter(registry.joinKeys.oldest(), EXPIRED_KEY_RETENTION + 1),
    remove: ({ registry, now }) => registry.joinKeys.prune(now - EXPIRED_KEY_RETENTION),
  },
  {
    table: "api_tokens",
    next: ({ registry }) => dueAfter(registry.apiTokens.oldest(), API_TOKEN_RETENTION + 1),
    remove({ registry, now }) {
      for (const id of registry.apiTokens.prune(now - API_TOKEN_RETENTION))
        registry.callbackRotations.removeOwner(id);
    },
  },
  {
    table: "submitters",
    next: ({ registry }) => dueAfter(registry.submitters.oldest(), DAY),
    remove: ({ registry, now }) => registry.submitters.prune(now),
  },
  {
    table: "ended_owners",
    next: ({ registry }) => dueAfter(registry.endedOwners.oldest(), TASK_RETENTION + DAY + 1),
    remove: ({ registry, now }) => registry.endedOwners.prune(now - TASK_RETENTION - DAY),
  },
  {
    table: "webhook_deliveries",
    next: ({ registry }) =>
      dueAfter(registry.webhookDeliveries.oldest(), WEBHOOK_DELIVERY_RETENTION),
    remove: ({ registry, now }) =>
      registry.webhookDeliveries.prune(now - WEBHOOK_DELIVERY_RETENTION),
  },
  {
    table: "webhook_refusals",
    next: ({ registry }) => dueAfter(registry.webhookRefusals.oldest(), WEBHOOK_DELIVERY_RETENTION),
    remove: ({ registry, now }) => registry.webhookRefusals.prune(now - WEBHOOK_DELIVERY_RETENTION),
  },
  {
    table: "advertised_peers",
    next: ({ registry }) => dueAfter(registry.advertisedPeers.oldest(), ADVERTISED_RETENTION),
    remove: ({ registry, now }) => registry.advertisedPeers.prune(now - ADVERTISED_RETENTION),
  },
  {
    table: "kv_shares",
    next: ({ registry }) => dueAfter(registry.kvShares.oldest(), DAY),
    remove: ({ registry, now }) => registry.kvShares.prune(now),
  },
  {
    table: "kv_writes",
    next: ({ registry }) => registry.kvWrites.nextOver(),
    remove: ({ registry, now }) => registry.kvWrites.prune(now),
  },
];

/**
 * Removes rows whose lifetime is over. A mesh without traffic wakes for it when a row expires, at most once an hour. Under traffic it
 * runs once an hour. Neither costs a command a query.
 */
export const removeExpired: Job = {
  name: "remove_expired",
  run(context) {
    const { registry, now } = context;
    const { next } = registry.lifetimes;
    if (next !== undefined && (next === null || next > now)) return;
    for (const lifetime of LIFETIMES) lifetime.remove(context);
    registry.lifetimes.lastRun = now;
    registry.lifetimes.next = undefined;
  },
  due: { reads: ["lifetimes"], at: nextRun },
};

function nextRun(scope: DueScope): Millis | null {
  const { registry, now } = scope;
  const { lifetimes } = registry;
  if (lifetimes.next === undefined) {
    const first = earliest(LIFETIMES.map((lifetime) => lifetime.next(scope)));
    lifetimes.next = first === null ? null : notBefore(first, lifetimes.lastRun, now);
  } else if (registry.changes.any(["lifetimes"])) {
    // A row was written. None expires sooner than an hour after it was written.
    lifetimes.next = Math.min(lifetimes.next ?? Infinity, now + GROUPED);
  }
  return lifetimes.next;
}

/** What is overdue has been left by a run that had too much to remove: the next run follows at once. */
const notBefore = (first: Millis, lastRun: Millis | null, now: Millis): Millis =>
  first <= now || lastRun === null ? first : Math.max(first, lastRun + GROUPED);
