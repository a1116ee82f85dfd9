import type { Millis } from "../base/clock.ts";
import type { CallbackState } from "../protocol/http.ts";
import type { Task } from "../tasks/task.ts";
import type { Callback } from "../webhooks/index.ts";
import type { CallbackPlace } from "./ended-owners.ts";
import {
  insertRow,
  json,
  number,
  numberOrNull,
  text,
  textOrNull,
  type Sql,
  type SqlRow,
} from "./sql.ts";
import { readCache } from "./write-behind.ts";

/**
 * Callbacks of tasks: an outbox of its own, because its deliveries wait for servers of others, and nothing else may
 * wait behind them.
 */
export function callbacksTable(sql: Sql) {
  const kept = readCache<Callback>((taskId) => {
    const row = sql.exec(`SELECT * FROM callbacks WHERE task_id = ?`, taskId)[0];
    return row === undefined ? null : readCallback(row);
  });
  return {
    kept,
    get: (taskId: string): Callback | null => kept.get(taskId),
    /** A task was accepted: it has no callback yet. */
    accepted: (taskId: string): void => kept.wrote(taskId, null),
    insert(callback: Callback): void {
      insertRow(sql, "callbacks", {
        task_id: callback.taskId,
        url: callback.url,
        origin: callback.origin,
        sealed_secret: callback.sealedSecret,
        state: callback.state,
        due_at: callback.dueAt,
        attempts: JSON.stringify(callback.attempts),
      });
      kept.wrote(callback.taskId, callback);
    },
    /** Writes the fields of a callback that change. */
    update(callback: Callback): void {
      const { taskId, state, dueAt, attempts } = callback;
      sql.exec(
        `UPDATE callbacks SET state = ?, due_at = ?, attempts = ? WHERE task_id = ?`,
        state,
        dueAt,
        JSON.stringify(attempts),
        taskId,
      );
      kept.wrote(taskId, callback);
    },
    /** The callback that has been due for longest, except those to these receivers. */
    due(now: Millis, exceptOrigins: readonly string[]): Callback | null {
      const marks = exceptOrigins.map(() => "?").join(", ");
      const row = sql.exec(
        `SELECT * FROM callbacks WHERE due_at <= ? AND origin NOT IN (${marks}) ORDER BY due_at LIMIT 1`,
        now,
        ...exceptOrigins,
      )[0];
      return row === undefined ? null : readCallback(row);
    },
    /** The callbacks that will be sent, with the owners of their tasks, in the order of their due times. */
    scheduled(range: {
      readonly after: CallbackPlace;
      readonly until?: Millis;
      readonly exceptOrigins?: readonly string[];
      readonly limit: number;
    }): readonly (CallbackPlace & Pick<Task, "owner" | "source">)[] {
      return sql
        .exec(
          `SELECT callbacks.task_id, due_at, owner, source FROM callbacks JOIN tasks ON tasks.id = callbacks.task_id
           WHERE due_at IS NOT NULL AND due_at >= ?1 AND (due_at > ?1 OR callbacks.task_id > ?2) AND due_at <= ?3
             AND origin NOT IN (SELECT value FROM json_each(?4))
           ORDER BY due_at, callbacks.task_id LIMIT ?5`,
          range.after.dueAt,
          range.after.taskId,
          range.until ?? Number.MAX_SAFE_INTEGER,
          JSON.stringify(range.exceptOrigins ?? []),
          range.limit,
        )
        .map((row) => ({
          taskId: text(row, "task_id"),
          dueAt: number(row, "due_at"),
          owner: text(row, "owner"),
          source: text(row, "source"),
        }));
    },
    /** The callback is not sent any more, unless the operator asks for it. */
    cancel(taskId: string): void {
      const callback = kept.get(taskId);
      if (callback !== null) this.update({ ...callback, state: "cancelled", dueAt: null });
    },
    nextDue(): Millis | null {
      const row = sql.exec(`SELECT MIN(due_at) AS due FROM callbacks WHERE due_at IS NOT NULL`)[0];
      return numberOrNull(row as SqlRow, "due");
    },
    remove(taskId: string): void {
      sql.exec(`DELETE FROM callbacks WHERE task_id = ?`, taskId);
      kept.wrote(taskId, null);
    },
    count(): number {
      return number(sql.exec(`SELECT COUNT(*) AS count FROM callbacks`)[0] as SqlRow, "count");
    },
  };
}

const readCallback = (row: SqlRow): Callback => ({
  taskId: text(row, "task_id"),
  url: text(row, "url"),
  origin: text(row, "origin"),
  sealedSecret: textOrNull(row, "sealed_secret"),
  state: text(row, "state") as CallbackState,
  dueAt: numberOrNull(row, "due_at"),
  attempts: json(row, "attempts"),
});
