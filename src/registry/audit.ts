import type { Millis } from "../base/clock.ts";
import type { JsonObject } from "../base/json.ts";
import { json, number, text, type Sql, type SqlRow } from "./sql.ts";

/** One act: who did what to whom, and how it came out. Rows are only ever added. */
export interface AuditEntry {
  readonly at: Millis;
  /** `admin`, `token:` + ID, `peer:` + ID, or `mesh` for what it does by itself. */
  readonly actor: string;
  readonly act: string;
  /** What it was done to: a peer ID, a public key, a token's ID, a source's name. */
  readonly subject: string;
  /** `ok`, or the error's code. */
  readonly outcome: string;
  readonly detail: JsonObject;
}

const REFUSALS_WINDOW = 100_000;
/** Entries after which the window is moved on. */
export const TRIM_EVERY = 500;

export interface AuditFilter {
  readonly subject?: string | undefined;
  readonly act?: string | undefined;
  /** Only entries older than the one of this sequence number. */
  readonly before?: number | undefined;
  readonly limit: number;
}

export function auditTable(sql: Sql) {
  return {
    /** Returns the entry's sequence number. */
    add(entry: AuditEntry): number {
      const [row] = sql.exec(
        `INSERT INTO audit (at, actor, act, subject, outcome, detail) VALUES (?, ?, ?, ?, ?, ?) RETURNING seq`,
        entry.at,
        entry.actor,
        entry.act,
        entry.subject,
        entry.outcome,
        JSON.stringify(entry.detail),
      );
      return number(row as SqlRow, "seq");
    },
    /** Newest first. */
    list({
      subject,
      act,
      before,
      limit,
    }: AuditFilter): readonly (AuditEntry & { readonly seq: number })[] {
      return sql
        .exec(
          `SELECT * FROM audit WHERE (?1 IS NULL OR seq < ?1) AND (?2 IS NULL OR subject = ?2) AND (?3 IS NULL OR act = ?3)
           ORDER BY seq DESC LIMIT ?4`,
          before ?? null,
          subject ?? null,
          act ?? null,
          limit,
        )
        .map(readEntry);
    },
    /**
     * Refusals of outsiders, who can make as many as they like, are kept among the newest 100,000 entries alone, so
     * that they neither fill the store nor bury what the operators did.
     */
    trimRefusals(): void {
      sql.exec(
        `DELETE FROM audit WHERE act = 'admit' AND outcome <> 'ok'
           AND seq < (SELECT MAX(seq) FROM audit) - ${REFUSALS_WINDOW}
           AND seq > (SELECT MAX(seq) FROM audit) - ${REFUSALS_WINDOW} - 2 * ${TRIM_EVERY}`,
      );
    },
    /** Entries past their retention go; nothing else ever removes one. */
    prune(before: Millis): void {
      sql.exec(
        `DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE at < ? ORDER BY seq LIMIT 1000)`,
        before,
      );
    },
  };
}

const readEntry = (row: SqlRow) => ({
  seq: number(row, "seq"),
  at: number(row, "at"),
  actor: text(row, "actor"),
  act: text(row, "act"),
  subject: text(row, "subject"),
  outcome: text(row, "outcome"),
  detail: json<JsonObject>(row, "detail"),
});
