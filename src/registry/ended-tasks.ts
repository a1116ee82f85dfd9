import type { Millis } from "../base/clock.ts";
import type { OwnerBytes } from "./owner-bytes.ts";
import { minimum, number, text, textOrNull, type Sql } from "./sql.ts";

/** An ended task that is removed. */
export interface EndedTask {
  readonly seq: number;
  readonly id: string;
  readonly owner: string;
  readonly bytes: number;
}

const ENDED = `ended_at IS NOT NULL`;
/** The condition of the index `tasks_payloads`, as it is written there. */
const HAS_PAYLOAD = `${ENDED} AND payload <> 'null'`;
const COLUMNS = "seq, id, quota_owner, bytes";
/** Owners of ended tasks, one step in the index each. */
const OWNERS = `WITH RECURSIVE owners (named) AS (
    SELECT MIN(quota_owner) FROM tasks WHERE ${ENDED}
    UNION ALL SELECT (SELECT MIN(quota_owner) FROM tasks WHERE ${ENDED} AND quota_owner > named) FROM owners WHERE named IS NOT NULL
  )`;

/** The tasks that have ended: which are removed for their age or for room, and whose payloads are dropped. */
export function endedTasksTable(sql: Sql, bytes: OwnerBytes, forget: (id: string) => void) {
  const readTask = (query: string, ...bindings: (string | number)[]): readonly EndedTask[] =>
    sql.exec(query, ...bindings).map((row) => ({
      seq: number(row, "seq"),
      id: text(row, "id"),
      owner: text(row, "quota_owner"),
      bytes: number(row, "bytes"),
    }));
  return {
    /** Tasks that ended before this, of all owners in one statement: there may be tens of thousands. */
    endedBefore: (before: Millis, limit: number): readonly EndedTask[] =>
      readTask(
        `${OWNERS} SELECT ${COLUMNS} FROM owners CROSS JOIN tasks INDEXED BY tasks_ended
           ON ${ENDED} AND quota_owner = named AND ended_at < ? WHERE named IS NOT NULL LIMIT ?`,
        before,
        limit,
      ),

    /** One task, if it has ended. */
    get: (id: string): EndedTask | null =>
      readTask(`SELECT ${COLUMNS} FROM tasks WHERE ${ENDED} AND id = ?`, id)[0] ?? null,

    /** The owner's tasks that ended first, of those that ended before this. */
    oldestOf: (owner: string, before: Millis, limit: number): readonly EndedTask[] =>
      readTask(
        `SELECT ${COLUMNS} FROM tasks WHERE ${ENDED} AND quota_owner = ? AND ended_at < ? ORDER BY ended_at LIMIT ?`,
        owner,
        before,
        limit,
      ),

    /** Those of them that ended before this and have no callback under way, of the first `readMax`. */
    oldestSettledOf: (owner: string, before: Millis, limit: number, readMax: number) =>
      readTask(
        `SELECT ${COLUMNS} FROM (
           SELECT ${COLUMNS} FROM tasks WHERE ${ENDED} AND quota_owner = ? AND ended_at < ? ORDER BY ended_at LIMIT ?)
         WHERE NOT EXISTS (SELECT 1 FROM callbacks WHERE task_id = id AND due_at IS NOT NULL) LIMIT ?`,
        owner,
        before,
        readMax,
        limit,
      ),

    /** When the task ended that ended first; null when none has ended. */
    oldest: (): Millis | null =>
      minimum(
        sql,
        `${OWNERS} SELECT MIN((SELECT MIN(ended_at) FROM tasks WHERE ${ENDED} AND quota_owner = named)) AS at
           FROM owners WHERE named IS NOT NULL`,
      ),

    /** Removes a task with all that belongs to it. Returns the blob of its large result, if it has one. */
    remove({ seq, id, owner, bytes: size }: EndedTask): string | null {
      sql.exec(`DELETE FROM attempts WHERE task_id = ?`, id);
      sql.exec(`DELETE FROM callbacks WHERE task_id = ?`, id);
      sql.exec(`DELETE FROM choices WHERE task_id = ?`, id);
      sql.exec(`DELETE FROM idempotency WHERE task_id = ?`, id);
      sql.exec(`DELETE FROM task_arrivals WHERE task_id = ?`, id);
      const [result] = sql.exec(`DELETE FROM task_results WHERE task_id = ? RETURNING blob_id`, id);
      sql.exec(`DELETE FROM tasks WHERE seq = ?`, seq);
      bytes.addEnded(owner, -size);
      forget(id);
      return result === undefined ? null : textOrNull(result, "blob_id");
    },

    /** Drops the payloads of tasks that ended at that time or before, at most so many. */
    dropPayloads(until: Millis, limit: number): void {
      const dropped = sql.exec(
        `SELECT ${COLUMNS}, octet_length(payload) - 4 AS freed FROM tasks INDEXED BY tasks_payloads
           WHERE ${HAS_PAYLOAD} AND ended_at <= ? ORDER BY ended_at LIMIT ?`,
        until,
        limit,
      );
      for (const row of dropped) {
        const freed = number(row, "freed");
        sql.exec(
          `UPDATE tasks SET payload = 'null', payload_dropped = 1, bytes = bytes - ? WHERE seq = ?`,
          freed,
          number(row, "seq"),
        );
        bytes.addEnded(text(row, "quota_owner"), -freed);
        forget(text(row, "id"));
      }
    },

    /** When the task ended that ended first of those whose payload is there. */
    oldestPayload: (): Millis | null =>
      minimum(
        sql,
        `SELECT MIN(ended_at) AS at FROM tasks INDEXED BY tasks_payloads WHERE ${HAS_PAYLOAD}`,
      ),
  };
}

/** Bytes of ended tasks by owner, read from their index alone. */
export const readEndedBytes = (sql: Sql): readonly (readonly [string, number])[] =>
  sql
    .exec(
      `SELECT quota_owner, SUM(bytes) AS bytes FROM tasks INDEXED BY tasks_ended WHERE ${ENDED} GROUP BY quota_owner`,
    )
    .map((row) => [text(row, "quota_owner"), number(row, "bytes")]);
