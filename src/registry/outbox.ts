import type { Millis } from "../base/clock.ts";
import { number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/**
 * What is owed to the world outside the database, written in the transaction that made it owed and repeated until
 * done: `publish` a peer's record (subject: peer ID), `delete_blob` and `delete_result` (subject: blob ID),
 * `end_session` of a peer that lost its right (subject: peer ID and the session's name and epoch), `probe` of a peer
 * whose silence is in doubt (likewise); `replicate` what is published to the store of replicas (one subject: the
 * directory), and `drop_copy` of what lies there (subject: its key).
 */
export type OutboxKind = (typeof OWN_KINDS | typeof COPY_KINDS)[number];

/** Owed to the mesh's own store and sessions. */
export const OWN_KINDS = [
  "publish",
  "delete_blob",
  "delete_result",
  "end_session",
  "probe",
] as const;
/** Owed to the store of replicas, which must hold up nothing else by being slow or down. */
export const COPY_KINDS = ["replicate", "drop_copy"] as const;

export interface OutboxItem {
  readonly seq: number;
  readonly kind: OutboxKind;
  readonly subject: string;
  readonly dueAt: Millis;
  readonly failures: number;
}

export function outboxTable(sql: Sql) {
  return {
    /** One item per kind and subject: a newer wish replaces the older one's time. */
    add(kind: OutboxKind, subject: string, dueAt: Millis): void {
      sql.exec(
        `INSERT INTO outbox (kind, subject, due_at, failures) VALUES (?, ?, ?, 0)
         ON CONFLICT (kind, subject) DO UPDATE SET due_at = excluded.due_at, failures = 0`,
        kind,
        subject,
        dueAt,
      );
    },
    /** Owes it by then at the latest: a wish that was due sooner stays so. */
    hasten(kind: OutboxKind, subject: string, dueAt: Millis): void {
      sql.exec(
        `INSERT INTO outbox (kind, subject, due_at, failures) VALUES (?, ?, ?, 0)
         ON CONFLICT (kind, subject) DO UPDATE SET due_at = MIN(due_at, excluded.due_at)`,
        kind,
        subject,
        dueAt,
      );
    },
    due(
      now: Millis,
      limit: number,
      kinds: readonly OutboxKind[] = [...OWN_KINDS, ...COPY_KINDS],
    ): readonly OutboxItem[] {
      return sql
        .exec(
          `SELECT * FROM outbox WHERE due_at <= ? AND kind IN (SELECT value FROM json_each(?))
           ORDER BY due_at LIMIT ?`,
          now,
          JSON.stringify(kinds),
          limit,
        )
        .map(readItem);
    },
    /** Puts it off without its having failed. */
    defer(kind: OutboxKind, subject: string, dueAt: Millis): void {
      sql.exec(`UPDATE outbox SET due_at = ? WHERE kind = ? AND subject = ?`, dueAt, kind, subject);
    },
    postpone(kind: OutboxKind, subject: string, dueAt: Millis): void {
      sql.exec(
        `UPDATE outbox SET due_at = ?, failures = failures + 1 WHERE kind = ? AND subject = ?`,
        dueAt,
        kind,
        subject,
      );
    },
    remove(kind: OutboxKind, subject: string): void {
      sql.exec(`DELETE FROM outbox WHERE kind = ? AND subject = ?`, kind, subject);
    },
    /** When it is due; null when it is not owed. */
    dueAt(kind: OutboxKind, subject: string): Millis | null {
      const row = sql.exec(
        `SELECT due_at FROM outbox WHERE kind = ? AND subject = ?`,
        kind,
        subject,
      )[0];
      return row === undefined ? null : number(row, "due_at");
    },
    /** Whether it is owed for later and was never tried: what was tried may have been done, however it looked. */
    isUntried(kind: OutboxKind, subject: string, now: Millis): boolean {
      return (
        sql.exec(
          `SELECT 1 FROM outbox WHERE kind = ? AND subject = ? AND due_at > ? AND failures = 0`,
          kind,
          subject,
          now,
        ).length > 0
      );
    },
    /** Owes nothing of these kinds any more. */
    removeAll(kinds: readonly OutboxKind[]): void {
      for (const kind of kinds) sql.exec(`DELETE FROM outbox WHERE kind = ?`, kind);
    },
    /** Whether anything of this kind is due by now. */
    isDue(kind: OutboxKind, now: Millis): boolean {
      return (
        sql.exec(`SELECT 1 FROM outbox WHERE due_at <= ? AND kind = ? LIMIT 1`, now, kind).length >
        0
      );
    },
    /** The subjects of one kind that begin so. */
    subjects(kind: OutboxKind, beginning: string): readonly string[] {
      return sql
        .exec(
          `SELECT subject FROM outbox WHERE kind = ? AND substr(subject, 1, ?) = ?`,
          kind,
          beginning.length,
          beginning,
        )
        .map((row) => text(row, "subject"));
    },
    nextDue(): Millis | null {
      return numberOrNull(sql.exec(`SELECT MIN(due_at) AS due FROM outbox`)[0] as SqlRow, "due");
    },
  };
}

const readItem = (row: SqlRow): OutboxItem => ({
  seq: number(row, "seq"),
  kind: text(row, "kind") as OutboxKind,
  subject: text(row, "subject"),
  dueAt: number(row, "due_at"),
  failures: number(row, "failures"),
});
