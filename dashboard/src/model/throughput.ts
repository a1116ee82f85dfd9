/** What the newest tasks say of the mesh: how many end, how they end, and how long they take. */
import type { TaskSummary } from "../../../src/protocol/http.ts";

/** How long an interval of the chart is. */
export const INTERVAL_MS = 15_000;
/** How many intervals the chart has: half an hour. */
export const INTERVALS = 120;

export interface Interval {
  /** When it begins. */
  readonly at: number;
  readonly succeeded: number;
  /** Failed and expired. */
  readonly failed: number;
}

/**
 * Tasks that ended in each interval up to `now`, the oldest interval first. Intervals before `knownSince` are
 * left out: not all of their tasks are known.
 */
export function intervalsOf(
  tasks: Iterable<TaskSummary>,
  now: number,
  knownSince: number | null,
): readonly Interval[] {
  const last = Math.floor(now / INTERVAL_MS);
  const intervals = Array.from({ length: INTERVALS }, (_, at) => ({
    at: (last - INTERVALS + 1 + at) * INTERVAL_MS,
    succeeded: 0,
    failed: 0,
  }));
  for (const { state, ended_at } of tasks) {
    if (ended_at === null) continue;
    const back = last - Math.floor(Date.parse(ended_at) / INTERVAL_MS);
    const interval = intervals[INTERVALS - 1 - back];
    if (interval === undefined) continue;
    if (state === "succeeded") interval.succeeded++;
    else if (state !== "cancelled") interval.failed++;
  }
  return intervals.filter(({ at }) => at >= (knownSince ?? 0));
}

export interface TaskFigures {
  /** Tasks that ended per minute. */
  readonly perMinute: number;
  readonly ended: number;
  readonly failed: number;
  /** From submission to end in milliseconds; null if nothing has ended. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** The time that the figures are about, in milliseconds. */
  readonly spanMs: number;
}

/**
 * The figures of the tasks that ended within `windowMs`. Only the newest tasks are known: on a busy mesh the figures are about the shorter time since
 * the oldest known one was submitted, `knownSince` (null if all are known).
 */
export function figuresOf(
  tasks: Iterable<TaskSummary>,
  now: number,
  windowMs: number,
  knownSince: number | null,
): TaskFigures {
  const since = Math.max(now - windowMs, knownSince ?? 0);
  const spanMs = Math.max(1_000, now - since);
  const times: number[] = [];
  let failed = 0;
  let ended = 0;
  for (const { state, created_at, ended_at } of tasks) {
    const end = ended_at === null ? 0 : Date.parse(ended_at);
    if (end < since || state === "cancelled") continue;
    ended++;
    if (state !== "succeeded") failed++;
    times.push(end - Date.parse(created_at));
  }
  times.sort((a, b) => a - b);
  return {
    perMinute: (ended * 60_000) / spanMs,
    ended,
    failed,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    spanMs,
  };
}

/** The value below which a share of the sorted values is, by the nearest rank. */
export function percentile(sorted: readonly number[], share: number): number | null {
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? null;
}
