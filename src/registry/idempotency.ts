import type { Millis } from "../base/clock.ts";
import { minimum, text, type Sql } from "./sql.ts";

/** The task that an idempotency key made, and the hash of its request. */
export interface Remembered {
  readonly taskId: string;
  readonly requestHash: string;
}

/** Idempotency keys: a repeated request answers with the first one's task. `scope` separates callers. */
export function idempotencyTable(sql: Sql) {
  return {
    get(scope: string, key: string, now: Millis): Remembered | null {
      const row = sql.exec(
        `SELECT task_id, request_hash FROM idempotency WHERE scope = ? AND key = ? AND expires_at > ?`,
        scope,
        key,
        now,
      )[0];
      return row === undefined
        ? null
        : { taskId: text(row, "task_id"), requestHash: text(row, "request_hash") };
    },
    put(scope: string, key: string, remembered: Remembered, expiresAt: Millis): void {
      sql.exec(
        `INSERT OR REPLACE INTO idempotency (scope, key, request_hash, task_id, expires_at) VALUES (?, ?, ?, ?, ?)`,
        scope,
        key,
        remembered.requestHash,
        remembered.taskId,
        expiresAt,
      );
    },
    handOver(from: string, to: string): void {
      sql.exec(`UPDATE idempotency SET scope = ? WHERE scope = ?`, to, from);
    },
    /** Removes keys that have expired, at most so many. */
    prune(now: Millis, limit: number): void {
      sql.exec(
        `DELETE FROM idempotency WHERE (scope, key) IN (
           SELECT scope, key FROM idempotency WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
        now,
        limit,
      );
    },
    /** When the first key expires. */
    oldest: (): Millis | null => minimum(sql, `SELECT MIN(expires_at) AS at FROM idempotency`),
  };
}
