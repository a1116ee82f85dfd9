import type { Millis } from "../base/clock.ts";
import { insertRow, number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/** A large result that is being uploaded. */
export interface ResultUpload {
  readonly taskId: string;
  readonly blobId: string;
  readonly begunAt: Millis;
}

/** Uploads that may be in the store and are not committed yet. One that stays here too long is deleted. */
export function resultUploadsTable(sql: Sql) {
  return {
    insert({ taskId, blobId, begunAt }: ResultUpload): void {
      insertRow(sql, "result_uploads", { task_id: taskId, blob_id: blobId, begun_at: begunAt });
    },
    count(taskId: string): number {
      const sum = `SELECT COUNT(*) AS count FROM result_uploads WHERE task_id = ?`;
      return number(sql.exec(sum, taskId)[0] as SqlRow, "count");
    },
    /** Removes the row. Returns false when it was not there, because it has expired. */
    settle(taskId: string, blobId: string): boolean {
      return (
        sql.exec(
          `DELETE FROM result_uploads WHERE task_id = ? AND blob_id = ? RETURNING blob_id`,
          taskId,
          blobId,
        ).length > 0
      );
    },
    /** Removes uploads that began until then, and returns the IDs of their blobs. */
    takeBegunBefore(time: Millis): readonly string[] {
      return sql
        .exec(`DELETE FROM result_uploads WHERE begun_at <= ? RETURNING blob_id`, time)
        .map((row) => text(row, "blob_id"));
    },
    oldest(): Millis | null {
      const row = sql.exec(`SELECT MIN(begun_at) AS oldest FROM result_uploads`)[0] as SqlRow;
      return numberOrNull(row, "oldest");
    },
  };
}
