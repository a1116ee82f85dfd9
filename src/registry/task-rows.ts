/** How tasks are read from and written to rows of the table `tasks`. */
import { utf8Length } from "../base/bytes.ts";
import { exactJson, textOfJson } from "../base/json-text/json-text.ts";
import type { Requirements, TaskState } from "../protocol/http.ts";
import type { TraceContext } from "../protocol/trace-context.ts";
import type { Task } from "../tasks/task.ts";
import {
  flag,
  json,
  number,
  numberOrNull,
  text,
  textOrNull,
  type SqlRow,
  type SqlValue,
} from "./sql.ts";

/** A task in a list, without payload and result, which may be large. `seq` is its cursor. */
export interface ListedTask extends Omit<Task, "payload" | "result"> {
  readonly seq: number;
}

/**
 * The fields of a queued or prefetched task that choosing a peer needs. `peerId` is the peer that has prefetched it.
 */
export type WaitingTask = Pick<
  Task,
  | "id"
  | "kind"
  | "source"
  | "owner"
  | "priority"
  | "concurrency"
  | "requirements"
  | "fence"
  | "lastFence"
  | "queuePosition"
  | "peerId"
> & { readonly seq: number };

/** A stored task that is queued, offered or prefetched. */
export type StoredWaiting = WaitingTask &
  Pick<Task, "state" | "prefetched" | "notBefore" | "attemptsUsed">;

/** What is kept of a waiting task: neither payload nor result, which may be large. */
export const KEPT_FIELDS = [
  "id",
  "kind",
  "source",
  "owner",
  "priority",
  "concurrency",
  "requirements",
  "fence",
  "lastFence",
  "queuePosition",
  "peerId",
  "state",
  "prefetched",
  "notBefore",
  "attemptsUsed",
] as const;

/** The columns of a listed task: all but payload and result, which may be large. */
export const LISTED_COLUMNS = `seq, id, kind, state, source, owner, requirements, priority, concurrency_key, concurrency_limit, turn, created_at, deadline_at, not_before,
  ended_at, max_attempts, retries, retried_at, lease_ms, backoff_ms, backoff_max_ms, attempt_timeout_ms, traceparent, tracestate, considered, fence, last_fence, tries, interruptions,
  max_interruptions, attempt_until, lease_until, prefetched, peer_id, progress, message, error, payload_dropped`;

/** The columns of a task that is queued or prefetched. */
export const WAITING_COLUMNS = `seq, id, kind, source, owner, priority, concurrency_key, concurrency_limit, requirements, state, prefetched, not_before, tries, fence, last_fence, turn, peer_id`;

/** The columns of a task that a peer holds, as far as it is counted. */
export const HELD_COLUMNS = `id, kind, source, owner, concurrency_key, concurrency_limit, state, prefetched`;

/** Reads a row of `HELD_COLUMNS`. */
export const readHeldTask = (row: SqlRow) => ({
  id: text(row, "id"),
  kind: text(row, "kind"),
  source: text(row, "source"),
  owner: text(row, "owner"),
  concurrency: readConcurrency(row),
  state: text(row, "state") as TaskState,
  prefetched: flag(row, "prefetched"),
});

/** The concurrency key of a row, with its limit. */
function readConcurrency(row: SqlRow): Task["concurrency"] {
  const key = textOrNull(row, "concurrency_key");
  return key === null ? null : { key, limit: number(row, "concurrency_limit") };
}

/** Reads a row of `WAITING_COLUMNS`. */
export const readWaiting = (row: SqlRow): StoredWaiting => ({
  seq: number(row, "seq"),
  id: text(row, "id"),
  kind: text(row, "kind"),
  source: text(row, "source"),
  owner: text(row, "owner"),
  priority: number(row, "priority"),
  concurrency: readConcurrency(row),
  requirements: json<Requirements>(row, "requirements"),
  fence: number(row, "fence"),
  lastFence: number(row, "last_fence"),
  queuePosition: number(row, "turn"),
  peerId: textOrNull(row, "peer_id"),
  state: text(row, "state") as TaskState,
  prefetched: flag(row, "prefetched"),
  notBefore: number(row, "not_before"),
  attemptsUsed: number(row, "tries"),
});

/** The trace of a row, whose headers were read when the task was accepted. */
function readTraceOf(row: SqlRow): TraceContext | null {
  const traceparent = textOrNull(row, "traceparent");
  return traceparent === null ? null : { traceparent, tracestate: textOrNull(row, "tracestate") };
}

function readConsidered(row: SqlRow): Pick<Task, "considered"> {
  return row["considered"] === null
    ? {}
    : { considered: json<readonly number[]>(row, "considered") };
}

/** Reads a row of `LISTED_COLUMNS`. */
export const readListed = (row: SqlRow): Omit<Task, "payload" | "result"> => ({
  id: text(row, "id"),
  kind: text(row, "kind"),
  state: text(row, "state") as TaskState,
  source: text(row, "source"),
  owner: text(row, "owner"),
  requirements: json(row, "requirements"),
  trace: readTraceOf(row),
  ...readConsidered(row),
  priority: number(row, "priority"),
  concurrency: readConcurrency(row),
  queuePosition: number(row, "turn"),
  createdAt: number(row, "created_at"),
  deadlineAt: number(row, "deadline_at"),
  notBefore: number(row, "not_before"),
  endedAt: numberOrNull(row, "ended_at"),
  maxAttempts: number(row, "max_attempts"),
  retries: number(row, "retries"),
  retriedAt: numberOrNull(row, "retried_at"),
  leaseMs: number(row, "lease_ms"),
  backoffMs: number(row, "backoff_ms"),
  backoffMaxMs: number(row, "backoff_max_ms"),
  attemptTimeoutMs: number(row, "attempt_timeout_ms"),
  fence: number(row, "fence"),
  lastFence: number(row, "last_fence"),
  attemptsUsed: number(row, "tries"),
  interruptions: number(row, "interruptions"),
  maxInterruptions: number(row, "max_interruptions"),
  attemptUntil: numberOrNull(row, "attempt_until"),
  leaseUntil: numberOrNull(row, "lease_until"),
  prefetched: flag(row, "prefetched"),
  peerId: textOrNull(row, "peer_id"),
  progress: numberOrNull(row, "progress"),
  message: textOrNull(row, "message"),
  error: textOrNull(row, "error"),
  payloadDropped: flag(row, "payload_dropped"),
});

/** Reads a whole row. */
export const readTask = (row: SqlRow): Task => ({
  ...readListed(row),
  payload: exactJson(text(row, "payload")),
  result: exactJson(text(row, "result")),
});

/** What a task counts besides its texts: its row with its index entries, its attempts and its choices. */
const TASK_BASE_BYTES = 1_024;

/** Bytes that a task counts from its acceptance on. Its result and its error are added at its end. */
export const bytesOfInput = (
  payload: string,
  requirements: string,
  trace: TraceContext | null,
): number => TASK_BASE_BYTES + utf8Length(payload) + utf8Length(requirements) + bytesOfTrace(trace);

/** The headers are ASCII. */
const bytesOfTrace = (trace: TraceContext | null): number =>
  trace === null ? 0 : trace.traceparent.length + (trace.tracestate?.length ?? 0);

/** What `bytesOfInput` counts, in SQL. */
export const INPUT_BYTES = `${TASK_BASE_BYTES} + octet_length(payload) + octet_length(requirements)
  + COALESCE(octet_length(traceparent), 0) + COALESCE(octet_length(tracestate), 0)`;

/** Bytes that a task counts more once it has ended, besides what its attempts say. */
export const bytesOfOutcome = (
  result: string,
  { error, message }: Pick<Task, "error" | "message">,
): number => utf8Length(result) + utf8Length(error ?? "") + utf8Length(message ?? "");

/** Every column of a task but `seq`, `payload_dropped` and what `tasksTable` adds. */
export const writeTask = (task: Task): Record<string, SqlValue> => ({
  id: task.id,
  kind: task.kind,
  state: task.state,
  source: task.source,
  owner: task.owner,
  priority: task.priority,
  concurrency_key: task.concurrency?.key ?? null,
  concurrency_limit: task.concurrency?.limit ?? null,
  turn: task.queuePosition,
  created_at: task.createdAt,
  deadline_at: task.deadlineAt,
  not_before: task.notBefore,
  ended_at: task.endedAt,
  max_attempts: task.maxAttempts,
  retries: task.retries,
  retried_at: task.retriedAt,
  lease_ms: task.leaseMs,
  backoff_ms: task.backoffMs,
  backoff_max_ms: task.backoffMaxMs,
  attempt_timeout_ms: task.attemptTimeoutMs,
  traceparent: task.trace?.traceparent ?? null,
  tracestate: task.trace?.tracestate ?? null,
  considered: task.considered === undefined ? null : JSON.stringify(task.considered),
  fence: task.fence,
  last_fence: task.lastFence,
  tries: task.attemptsUsed,
  interruptions: task.interruptions,
  max_interruptions: task.maxInterruptions,
  attempt_until: task.attemptUntil,
  lease_until: task.leaseUntil,
  prefetched: Number(task.prefetched),
  peer_id: task.peerId,
  progress: task.progress,
  message: task.message,
  result: textOfJson(task.result),
  error: task.error,
});

/** The fields of a task that change. */
export const CHANGING_FIELDS = [
  "state",
  "notBefore",
  "endedAt",
  "fence",
  "lastFence",
  "attemptsUsed",
  "interruptions",
  "attemptUntil",
  "leaseUntil",
  "prefetched",
  "peerId",
  "progress",
  "message",
  "result",
  "error",
] as const;
