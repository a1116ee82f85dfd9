import type { Millis } from "../../base/clock.ts";
import type { TableName } from "../../registry/table-changes.ts";
import type { Context } from "./context.ts";

/** What a job's due time is computed from. */
export type DueScope = Pick<Context, "registry" | "config" | "now">;

/**
 * Work that becomes due at a time, without a command. `tick` runs every job; the coordinator's alarm rings at the
 * earliest due time.
 */
export interface Job {
  readonly name: string;
  /** Does what is due. Safe to run at any time, any number of times. */
  run(context: Context): void;
  /** When the job has work. Absent: it removes old rows at any tick. */
  readonly due?: Due;
}

/** When a job has work next. */
interface Due {
  /** The tables from which the time is computed: without a write to one of them it does not become earlier. */
  readonly reads: readonly TableName[];
  /** Null when nothing waits for a time. */
  at(scope: DueScope): Millis | null;
}

/** The earliest of some due times; null when there is none. */
export function earliest(dues: Iterable<Millis | null>): Millis | null {
  let first: Millis | null = null;
  for (const due of dues) if (due !== null && (first === null || due < first)) first = due;
  return first;
}

/** Adds a duration to a time; null when the time is null. */
export const dueAfter = (at: Millis | null, after: Millis): Millis | null =>
  at === null ? null : at + after;
