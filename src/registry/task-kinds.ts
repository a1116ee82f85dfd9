import type { Millis } from "../base/clock.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { ServiceTime } from "../scoring/service-time.ts";
import type { FailureRate } from "../tasks/failure-rate.ts";
import { minimum, number, numberOrNull, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";
import { WriteBehind } from "./write-behind.ts";

/** Number of kinds that are stored. Further kinds are not learned. */
const KINDS_MAX = 1_000;

/** What is known about a kind of task over all peers. */
export interface TaskKindRecord {
  /** Service time of the kind; null while none was done. */
  readonly service: ServiceTime | null;
  /** The peer that got the last task of the kind. */
  readonly incumbent: PeerId | null;
  /** How often attempts at it fail over all peers; null while none is known. */
  readonly failures: FailureRate | null;
  readonly usedAt: Millis;
}

const UNKNOWN_KIND: TaskKindRecord = {
  service: null,
  incumbent: null,
  failures: null,
  usedAt: 0,
};

export function taskKindsTable(sql: Sql) {
  const kept = new WriteBehind<TaskKindRecord>({
    read: (kinds) =>
      sql
        .exec(
          `SELECT * FROM task_kinds WHERE kind IN (SELECT value FROM json_each(?))`,
          JSON.stringify(kinds),
        )
        .map((row) => [text(row, "kind"), readKind(row)]),
    write(kind, { service, incumbent, failures, usedAt }) {
      sql.exec(
        `INSERT INTO task_kinds (kind, mean_ms, weight, incumbent, used_at, failure_rate, failure_weight)
         SELECT ?1, ?2, ?3, ?4, ?5, ?7, ?8
         WHERE EXISTS (SELECT 1 FROM task_kinds WHERE kind = ?1) OR (SELECT COUNT(*) FROM task_kinds) < ?6
         ON CONFLICT (kind) DO UPDATE SET mean_ms = excluded.mean_ms, weight = excluded.weight,
           incumbent = excluded.incumbent, used_at = excluded.used_at, failure_rate = excluded.failure_rate,
           failure_weight = excluded.failure_weight`,
        kind,
        service?.meanMs ?? 0,
        service?.weight ?? 0,
        incumbent,
        usedAt,
        KINDS_MAX,
        failures?.rate ?? null,
        failures?.weight ?? null,
      );
    },
  });
  return {
    kept,

    get: (kind: string): TaskKindRecord => kept.get(kind) ?? UNKNOWN_KIND,

    put: (kind: string, record: TaskKindRecord): void => kept.put(kind, record),

    /** When the kind was used last that has not been used for longest. */
    oldest: (): Millis | null => minimum(sql, `SELECT MIN(used_at) AS at FROM task_kinds`),

    /** Forgets kinds that were not used since, and returns them. */
    prune(before: Millis): readonly string[] {
      kept.flush();
      const old = sql
        .exec(`SELECT kind FROM task_kinds WHERE used_at < ?`, before)
        .map((row) => text(row, "kind"));
      for (const kind of old) {
        sql.exec(`DELETE FROM task_kinds WHERE kind = ?`, kind);
        kept.wrote(kind, null);
      }
      return old;
    },
  };
}

function readKind(row: SqlRow): TaskKindRecord {
  const weight = number(row, "weight");
  return {
    service: weight === 0 ? null : { meanMs: number(row, "mean_ms"), weight },
    incumbent: textOrNull(row, "incumbent"),
    failures: failuresOf(row),
    usedAt: number(row, "used_at"),
  };
}

function failuresOf(row: SqlRow): FailureRate | null {
  const [rate, weight] = [numberOrNull(row, "failure_rate"), numberOrNull(row, "failure_weight")];
  return rate === null || weight === null ? null : { rate, weight };
}
