/** Reads many tasks for an act on them, in pieces of bounded cost, and the tasks that failed. */
import type { Millis } from "../base/clock.ts";
import type { TaskState } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Failure } from "../tasks/failure-groups.ts";
import { number, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";

/** Which tasks an act concerns. */
export interface SelectionFilter {
  /** The states that are selected. */
  readonly states: readonly TaskState[];
  readonly kind?: string | undefined;
  readonly source?: string | undefined;
  readonly peerId?: PeerId | undefined;
  readonly createdAfter?: Millis | undefined;
  readonly createdBefore?: Millis | undefined;
  /** In upper or lower case. */
  readonly errorContains?: string | undefined;
  /** Only tasks of all of these owners: that of the filter, and that whose tasks the caller may see. */
  readonly owners: readonly string[];
}

/** A place in the order in which tasks are read: by deadline or by end, then by sequence number. */
export interface SelectionPlace {
  readonly at: Millis;
  readonly seq: number;
}

export interface SelectionPage {
  readonly tasks: readonly (SelectionPlace & { readonly id: string })[];
  /** The place up to which all was read; null when there is nothing behind it. */
  readonly readUpTo: SelectionPlace | null;
}

export interface SelectionQuery {
  readonly filter: SelectionFilter;
  readonly after: SelectionPlace | null;
  /** Only tasks that were there at this time, so that an act ends although new tasks arrive, or fail again. */
  readonly until: Millis;
  /** Tasks that are returned, and tasks that are read, at most. */
  readonly limit: number;
  readonly readMax: number;
}

/** A row of `SOURCES`: what the conditions need, and `at`, the place in the order. */
const COLUMNS = "seq, id, state, kind, source, owner, peer_id, created_at, error";

/** From which index the tasks are read. Each query names the condition of its partial index as the index does. */
const SOURCES = {
  open: `SELECT ${COLUMNS}, deadline_at AS at FROM tasks
    WHERE ended_at IS NULL AND created_at <= ?3 AND (deadline_at > ?1 OR (deadline_at = ?1 AND seq > ?2))
    ORDER BY deadline_at, seq LIMIT ?4`,
  unsuccessful: `SELECT ${COLUMNS}, ended_at AS at FROM tasks INDEXED BY tasks_unsuccessful
    WHERE state IN ('failed', 'expired', 'cancelled') AND ended_at >= ?1 AND ended_at <= ?3
      AND (ended_at > ?1 OR seq > ?2)
    ORDER BY ended_at, seq LIMIT ?4`,
} as const;
export type SelectionSource = keyof typeof SOURCES;

const CONDITIONS = `state IN (SELECT value FROM json_each(?5)) AND (?6 IS NULL OR kind = ?6) AND (?7 IS NULL OR source = ?7)
  AND (?8 IS NULL OR peer_id = ?8) AND (?9 IS NULL OR created_at > ?9) AND (?10 IS NULL OR created_at < ?10)
  AND (?11 IS NULL OR instr(lower(error), lower(?11)) > 0)
  AND NOT EXISTS (SELECT 1 FROM json_each(?12) WHERE value <> owner)`;

/** Failures that are grouped, of the newest unsuccessful tasks that are read. */
const FAILURES_MAX = 5_000;
const FAILURES_READ_MAX = 20_000;

export interface FailureFilter {
  readonly states: readonly Failure["state"][];
  readonly kind?: string | undefined;
  readonly endedAfter?: Millis | undefined;
  readonly endedBefore?: Millis | undefined;
  readonly owners: readonly string[];
}

export function taskSelection(sql: Sql) {
  return {
    /** One piece of the tasks that a filter selects, in their order. */
    page(source: SelectionSource, query: SelectionQuery): SelectionPage {
      const { filter, after, until, limit, readMax } = query;
      const inner = [after?.at ?? 0, after?.seq ?? 0, until, readMax];
      const tasks = sql
        .exec(
          `SELECT seq, id, at FROM (${SOURCES[source]}) WHERE ${CONDITIONS} ORDER BY at, seq LIMIT ?13`,
          ...inner,
          JSON.stringify(filter.states),
          filter.kind ?? null,
          filter.source ?? null,
          filter.peerId ?? null,
          filter.createdAfter ?? null,
          filter.createdBefore ?? null,
          filter.errorContains ?? null,
          JSON.stringify(filter.owners),
          limit,
        )
        .map((row) => ({ ...placeOf(row), id: text(row, "id") }));
      if (tasks.length === limit) return { tasks, readUpTo: tasks.at(-1) ?? null };
      const last = sql.exec(
        `SELECT seq, at FROM (${SOURCES[source]}) LIMIT 1 OFFSET ?5`,
        ...inner,
        readMax - 1,
      )[0];
      return { tasks, readUpTo: last === undefined ? null : placeOf(last) };
    },

    /**
     * The newest tasks that failed or expired, the newest first: at most 5,000 of the newest 20,000 that ended without success.
     * `complete` is false when there are more. Everything is read from one index.
     */
    failures(filter: FailureFilter): {
      readonly failures: readonly Failure[];
      readonly complete: boolean;
    } {
      const newest = `SELECT ${COLUMNS}, ended_at FROM tasks INDEXED BY tasks_unsuccessful
        WHERE state IN ('failed', 'expired', 'cancelled') AND ended_at > ?1 AND ended_at < ?2
        ORDER BY ended_at DESC, seq DESC LIMIT ?3`;
      const range = [
        filter.endedAfter ?? 0,
        filter.endedBefore ?? Number.MAX_SAFE_INTEGER,
        FAILURES_READ_MAX,
      ];
      const failures = sql
        .exec(
          `SELECT id, kind, state, peer_id, error, ended_at FROM (${newest})
           WHERE state IN (SELECT value FROM json_each(?4)) AND (?5 IS NULL OR kind = ?5)
             AND NOT EXISTS (SELECT 1 FROM json_each(?6) WHERE value <> owner)
           ORDER BY ended_at DESC, seq DESC LIMIT ?7`,
          ...range,
          JSON.stringify(filter.states),
          filter.kind ?? null,
          JSON.stringify(filter.owners),
          FAILURES_MAX,
        )
        .map(readFailure);
      const [more] = sql.exec(
        `SELECT 1 FROM (${newest}) LIMIT 1 OFFSET ?4`,
        ...range,
        FAILURES_READ_MAX - 1,
      );
      return { failures, complete: failures.length < FAILURES_MAX && more === undefined };
    },
  };
}

const placeOf = (row: SqlRow): SelectionPlace => ({
  at: number(row, "at"),
  seq: number(row, "seq"),
});

const readFailure = (row: SqlRow): Failure => ({
  id: text(row, "id"),
  kind: text(row, "kind"),
  state: text(row, "state") as Failure["state"],
  peerId: textOrNull(row, "peer_id"),
  error: textOrNull(row, "error"),
  endedAt: number(row, "ended_at"),
});
