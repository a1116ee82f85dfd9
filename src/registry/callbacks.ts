import type { Millis } from "../base/clock.ts";
import type { CallbackState } from "../protocol/http.ts";
import type { Task } from "../tasks/task.ts";
import type { Callback } from "../webhooks/index.ts";
import { callbackQueuesTable, type CallbackQueue } from "./callback-queues.ts";
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
  const queues = callbackQueuesTable(sql);
  const kept = readCache<Callback>((taskId) => {
    const row = sql.exec(`SELECT * FROM callbacks WHERE task_id = ?`, taskId)[0];
    return row === undefined ? null : readCallback(row);
  });
  return {
    kept,
    queues,
    get: (taskId: string): Callback | null => kept.get(taskId),
    /** A task was accepted: it has no callback yet. */
    accepted: (taskId: string): void => kept.wrote(taskId, null),
    insert(callback: Callback): void {
      insertRow(sql, "callbacks", {
        task_id: callback.taskId,
        owner: callback.owner,
        url: callback.url,
        origin: callback.origin,
        sealed_secret: callback.sealedSecret,
        state: callback.state,
        due_at: callback.dueAt,
        attempts: JSON.stringify(callback.attempts),
      });
      kept.wrote(callback.taskId, callback);
      if (callback.dueAt !== null) queues.changed(callback);
    },
    /** Writes the fields of a callback that change. */
    update(callback: Callback): void {
      const { taskId, state, dueAt, attempts } = callback;
      const before = kept.get(taskId);
      sql.exec(
        `UPDATE callbacks SET state = ?, due_at = ?, attempts = ? WHERE task_id = ?`,
        state,
        dueAt,
        JSON.stringify(attempts),
        taskId,
      );
      kept.wrote(taskId, callback);
      if (before?.dueAt !== dueAt) queues.changed(callback);
    },
    /** The callback of a queue that has been due for longest. */
    due(now: Millis, { owner, origin }: CallbackQueue): Callback | null {
      const row = sql.exec(
        `SELECT * FROM callbacks WHERE owner = ? AND origin = ? AND due_at <= ? ORDER BY due_at LIMIT 1`,
        owner,
        origin,
        now,
      )[0];
      return row === undefined ? null : readCallback(row);
    },
    /** The callbacks that will be sent, with the owners of their tasks, in the order of their due times. */
    scheduled(range: {
      readonly after: CallbackPlace;
      readonly limit: number;
    }): readonly (CallbackPlace & Pick<Task, "owner" | "source">)[] {
      return sql
        .exec(
          `SELECT callbacks.task_id, due_at, tasks.owner, source FROM callbacks JOIN tasks ON tasks.id = callbacks.task_id
           WHERE due_at IS NOT NULL AND due_at >= ?1 AND (due_at > ?1 OR callbacks.task_id > ?2)
           ORDER BY due_at, callbacks.task_id LIMIT ?3`,
          range.after.dueAt,
          range.after.taskId,
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
    remove(taskId: string): void {
      const before = kept.get(taskId);
      sql.exec(`DELETE FROM callbacks WHERE task_id = ?`, taskId);
      kept.wrote(taskId, null);
      if (before !== null) queues.changed(before);
    },
    /** The number of callbacks that are pending, and when the first of them is due. */
    pending(): { readonly count: number; readonly firstDue: Millis | null } {
      const row = sql.exec(
        `SELECT COUNT(*) AS count, MIN(due_at) AS first FROM callbacks WHERE due_at IS NOT NULL`,
      )[0] as SqlRow;
      return { count: number(row, "count"), firstDue: numberOrNull(row, "first") };
    },
    count(): number {
      return number(sql.exec(`SELECT COUNT(*) AS count FROM callbacks`)[0] as SqlRow, "count");
    },
  };
}

const readCallback = (row: SqlRow): Callback => ({
  taskId: text(row, "task_id"),
  owner: text(row, "owner"),
  url: text(row, "url"),
  origin: text(row, "origin"),
  sealedSecret: textOrNull(row, "sealed_secret"),
  state: text(row, "state") as CallbackState,
  dueAt: numberOrNull(row, "due_at"),
  attempts: json(row, "attempts"),
});
