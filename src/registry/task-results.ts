import type { Millis } from "../base/clock.ts";
import { flag, number, numberOrNull, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";
import { readCache } from "./write-behind.ts";

/** How a task's result is stored, if it is sealed or large. */
export interface ResultExtra {
  /** X25519 key, in hex, that the result is sealed to; null when it is not sealed. */
  readonly sealTo: string | null;
  /** Whether what is stored is an STMF container. */
  readonly sealed: boolean;
  /** Blob ID of a large result in KV, and its size; null when the result is stored with the task. */
  readonly blobId: string | null;
  readonly bytes: number | null;
  /** SHA-256 of the blob in KV, in base64. */
  readonly sha256: string | null;
  /** When its upload began; null when it was not uploaded. */
  readonly uploadBegunAt: Millis | null;
}

const NOTHING: ResultExtra = {
  sealTo: null,
  sealed: false,
  blobId: null,
  bytes: null,
  sha256: null,
  uploadBegunAt: null,
};

/** One row for each task whose result is sealed or large; most have none. */
export function taskResultsTable(sql: Sql) {
  const kept = readCache<ResultExtra>((taskId) => {
    const row = sql.exec(`SELECT * FROM task_results WHERE task_id = ?`, taskId)[0];
    if (row === undefined) return null;
    return {
      sealTo: textOrNull(row, "seal_to"),
      sealed: flag(row, "sealed"),
      blobId: textOrNull(row, "blob_id"),
      bytes: numberOrNull(row, "bytes"),
      sha256: textOrNull(row, "sha256"),
      uploadBegunAt: numberOrNull(row, "upload_begun_at"),
    };
  });
  return {
    kept,

    /** The mesh has stored the task's large result for a peer that can't upload it. */
    keptFor(taskId: string, owner: string, now: Millis): void {
      sql.exec(
        `UPDATE task_results SET kept_for = ?, kept_at = ? WHERE task_id = ?`,
        owner,
        now,
        taskId,
      );
    },
    /** Bytes of such results of an owner's tasks. */
    bytesKeptFor(owner: string): number {
      const sum = `SELECT COALESCE(SUM(bytes), 0) AS bytes FROM task_results WHERE kept_for = ?`;
      return number(sql.exec(sum, owner)[0] as SqlRow, "bytes");
    },
    /** The oldest of them; null when there is none. */
    oldestKeptFor(owner: string): { readonly taskId: string; readonly bytes: number } | null {
      const row = sql.exec(
        `SELECT task_id, bytes FROM task_results WHERE kept_for = ? ORDER BY kept_at LIMIT 1`,
        owner,
      )[0];
      return row === undefined
        ? null
        : { taskId: text(row, "task_id"), bytes: number(row, "bytes") };
    },

    get: (taskId: string): ResultExtra => kept.get(taskId) ?? NOTHING,

    /** A task was accepted: it has no row yet. */
    accepted: (taskId: string): void => kept.wrote(taskId, null),

    /** Stores the key that the task's result is sealed to. */
    sealTo(taskId: string, publicKey: string): void {
      this.put(taskId, { ...NOTHING, sealTo: publicKey });
    },
    put(taskId: string, extra: ResultExtra): void {
      const { sealTo, sealed, blobId, bytes, sha256, uploadBegunAt } = extra;
      sql.exec(
        `INSERT OR REPLACE INTO task_results (task_id, seal_to, sealed, blob_id, bytes, sha256, upload_begun_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        taskId,
        sealTo,
        Number(sealed),
        blobId,
        bytes,
        sha256,
        uploadBegunAt,
      );
      kept.wrote(taskId, extra);
    },
  };
}
