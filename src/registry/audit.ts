import type { Millis } from "../base/clock.ts";
import type { JsonObject } from "../base/json.ts";
import { json, number, text, type Sql, type SqlRow } from "./sql.ts";

/** One audited act: who did what to what, with which outcome. The log is append-only. */
export interface AuditEntry {
  readonly at: Millis;
  /** `admin`, `token:` + ID, `peer:` + ID, or `mesh` for what the mesh does by itself. */
  readonly actor: string;
  readonly act: string;
  /** What was acted on: a peer ID, a public key, a token's ID, a source's name. */
  readonly subject: string;
  /** `ok`, or the error's code. */
  readonly outcome: string;
  readonly detail: JsonObject;
}

const REFUSALS_WINDOW = 100_000;
/** Number of new entries after which old refusals are trimmed. */
export const TRIM_EVERY = 500;

export interface AuditFilter {
  readonly subject?: string | undefined;
  readonly act?: string | undefined;
  /** Only entries older than the one with this sequence number. */
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
     * Removes refusals of outsiders that are not among the newest 100,000 entries. Outsiders can cause any number of
     * refusals, which must neither fill the store nor displace the operators' acts.
     */
    trimRefusals(): void {
      sql.exec(
        `DELETE FROM audit WHERE act = 'admit' AND outcome <> 'ok'
           AND seq < (SELECT MAX(seq) FROM audit) - ${REFUSALS_WINDOW}
           AND seq > (SELECT MAX(seq) FROM audit) - ${REFUSALS_WINDOW} - 2 * ${TRIM_EVERY}`,
      );
    },
    /** Removes entries past their retention. Nothing else removes entries. */
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
