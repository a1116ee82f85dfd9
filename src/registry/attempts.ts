import type { Millis } from "../base/clock.ts";
import type { Attempt, AttemptState } from "../tasks/task.ts";
import { number, numberOrNull, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";

export function attemptsTable(sql: Sql) {
  return {
    insert(attempt: Attempt): void {
      sql.exec(
        `INSERT INTO attempts (task_id, fence, peer_id, peer_name, score, state, started_at, begun_at, ended_at, error, retries,
           refusals) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        attempt.taskId,
        attempt.fence,
        attempt.peerId,
        attempt.peerName,
        attempt.score,
        attempt.state,
        attempt.startedAt,
        attempt.begunAt,
        attempt.endedAt,
        attempt.error,
        attempt.retries,
        attempt.refusals,
      );
    },
    setState(taskId: string, fence: number, state: AttemptState, now: Millis): void {
      sql.exec(
        `UPDATE attempts SET state = ?1, begun_at = COALESCE(begun_at, CASE ?1 WHEN 'running' THEN ?2 END)
         WHERE task_id = ?3 AND fence = ?4`,
        state,
        now,
        taskId,
        fence,
      );
    },
    /** Ends an attempt, and returns it; null when it has ended already. `begunAt` counts unless it is known already. */
    end(
      taskId: string,
      fence: number,
      state: AttemptState,
      now: Millis,
      error: string | null,
      begunAt: Millis | null = null,
    ): Attempt | null {
      const row = sql.exec(
        `UPDATE attempts SET state = ?, ended_at = ?, error = ?, begun_at = COALESCE(begun_at, ?)
         WHERE task_id = ? AND fence = ? AND ended_at IS NULL
         RETURNING *`,
        state,
        now,
        error,
        begunAt,
        taskId,
        fence,
      )[0];
      return row === undefined ? null : readAttempt(row);
    },
    /** Resumes an attempt that was given up. */
    reopen(taskId: string, fence: number, now: Millis): void {
      sql.exec(
        `UPDATE attempts SET state = 'running', begun_at = COALESCE(begun_at, ?), ended_at = NULL, error = NULL
         WHERE task_id = ? AND fence = ?`,
        now,
        taskId,
        fence,
      );
    },
    /** Counts how often the peer of a refused attempt has refused the task. Only its last refusal is kept. */
    countRefusals({ taskId, peerId, fence }: Pick<Attempt, "taskId" | "peerId" | "fence">): void {
      const [row] = sql.exec(
        `SELECT COALESCE(SUM(refusals), 0) AS earlier FROM attempts
         WHERE task_id = ? AND peer_id = ? AND fence <> ? AND state = 'refused'`,
        taskId,
        peerId,
        fence,
      );
      sql.exec(
        `DELETE FROM attempts WHERE task_id = ? AND peer_id = ? AND fence <> ? AND state = 'refused'`,
        taskId,
        peerId,
        fence,
      );
      sql.exec(
        `UPDATE attempts SET refusals = ? WHERE task_id = ? AND fence = ?`,
        number(row as SqlRow, "earlier") + 1,
        taskId,
        fence,
      );
    },
    get(taskId: string, fence: number): Attempt | null {
      const row = sql.exec(
        `SELECT * FROM attempts WHERE task_id = ? AND fence = ?`,
        taskId,
        fence,
      )[0];
      return row === undefined ? null : readAttempt(row);
    },
    /** Forgets the attempts up to a fence that were never begun. */
    forgetUnbegun(taskId: string, upTo: number): void {
      if (upTo <= 0) return;
      sql.exec(
        `DELETE FROM attempts
         WHERE task_id = ? AND fence <= ? AND state IN ('reclaimed', 'refused', 'unanswered')`,
        taskId,
        upTo,
      );
    },
    /** Forgets the attempts up to a fence. */
    forgetUpTo(taskId: string, fence: number): void {
      if (fence > 0)
        sql.exec(`DELETE FROM attempts WHERE task_id = ? AND fence <= ?`, taskId, fence);
    },
    of(taskId: string): readonly Attempt[] {
      return sql
        .exec(`SELECT * FROM attempts WHERE task_id = ? ORDER BY fence`, taskId)
        .map(readAttempt);
    },
  };
}

const readAttempt = (row: SqlRow): Attempt => ({
  taskId: text(row, "task_id"),
  fence: number(row, "fence"),
  peerId: text(row, "peer_id"),
  peerName: text(row, "peer_name"),
  score: number(row, "score"),
  state: text(row, "state") as AttemptState,
  startedAt: number(row, "started_at"),
  begunAt: numberOrNull(row, "begun_at"),
  endedAt: numberOrNull(row, "ended_at"),
  error: textOrNull(row, "error"),
  retries: number(row, "retries"),
  refusals: number(row, "refusals"),
});
