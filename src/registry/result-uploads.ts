import type { Millis } from "../base/clock.ts";
import type { ResultContent } from "../protocol/result-content.ts";
import { insertRow, number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/** A large result that is being uploaded, or was uploaded and is not committed. */
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
    /** Uploads of a task's result that have begun since then. */
    countSince(taskId: string, since: Millis): number {
      const sum = `SELECT COUNT(*) AS count FROM result_uploads WHERE task_id = ? AND begun_at >= ?`;
      return number(sql.exec(sum, taskId, since)[0] as SqlRow, "count");
    },
    /** The bytes are in the store. Returns false when the row was not there, because it has expired. */
    stored(taskId: string, blobId: string, { bytes, sha256 }: ResultContent): boolean {
      const update = `UPDATE result_uploads SET bytes = ?, sha256 = ? WHERE task_id = ? AND blob_id = ? RETURNING blob_id`;
      return sql.exec(update, bytes, sha256, taskId, blobId).length > 0;
    },
    /** Removes the row of one upload that has stored exactly these bytes, and returns its blob ID and when it began; null when there is none. */
    take(
      taskId: string,
      { bytes, sha256 }: ResultContent,
    ): Pick<ResultUpload, "blobId" | "begunAt"> | null {
      const find = `SELECT blob_id, begun_at FROM result_uploads WHERE task_id = ? AND bytes = ? AND sha256 = ? LIMIT 1`;
      const row = sql.exec(find, taskId, bytes, sha256)[0];
      if (row === undefined) return null;
      const blobId = text(row, "blob_id");
      sql.exec(`DELETE FROM result_uploads WHERE task_id = ? AND blob_id = ?`, taskId, blobId);
      return { blobId, begunAt: number(row, "begun_at") };
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
