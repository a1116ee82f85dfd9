import type { Millis } from "../base/clock.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { insertRow, json, number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/** Refused deliveries of one source for one reason: how many there were, and the newest of them. */
export interface WebhookRefusal {
  readonly id: string;
  readonly source: string;
  readonly code: ErrorCode;
  readonly detail: string;
  /** Whether `webhook_deliveries` has them, too. */
  readonly recorded: boolean;
  readonly firstAt: Millis;
  readonly lastAt: Millis;
  readonly count: number;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly address: string;
  readonly bytes: number | null;
}

/** Deliveries to names that no source has: how many there were. */
export interface UnknownSources {
  readonly firstAt: Millis;
  readonly lastAt: Millis;
  readonly count: number;
}

export interface RefusalLimits {
  /** For this long after its first time, an entry counts further refusals for its reason. */
  readonly window: Millis;
  /** Entries of one source. */
  readonly perSource: number;
  /** Whether a new entry may be added, or only counted in one that exists. */
  readonly mayAdd: boolean;
}

/** The source of the entry for names that no source has. No source has an empty name. */
const NO_SOURCE = "";

export function webhookRefusalsTable(sql: Sql) {
  /** Removes an entry of a source that has more than its limit: the oldest of the reason with the most entries. */
  function trim(source: string, limit: number): void {
    sql.exec(
      `DELETE FROM webhook_refusals WHERE seq = (
         SELECT seq FROM webhook_refusals AS entry WHERE source = ?1
         ORDER BY (SELECT COUNT(*) FROM webhook_refusals WHERE source = ?1 AND code = entry.code) DESC, last_at, seq LIMIT 1)
       AND (SELECT COUNT(*) FROM webhook_refusals WHERE source = ?1) > ?2`,
      source,
      limit,
    );
  }

  /** Counts refusals in the newest entry for their reason, if that is not older than the window. */
  function repeated(refusal: Omit<WebhookRefusal, "id">, window: Millis): boolean {
    const rows = sql.exec(
      `UPDATE webhook_refusals SET count = count + ?1, last_at = MAX(last_at, ?2), detail = ?3, method = ?4, headers = ?5,
         address = ?6, bytes = ?7
       WHERE seq = (SELECT MAX(seq) FROM webhook_refusals WHERE source = ?8 AND code = ?9 AND recorded = ?10)
         AND first_at > ?11 RETURNING seq`,
      refusal.count,
      refusal.lastAt,
      refusal.detail,
      refusal.method,
      JSON.stringify(refusal.headers),
      refusal.address,
      refusal.bytes,
      refusal.source,
      refusal.code,
      refusal.recorded ? 1 : 0,
      refusal.lastAt - window,
    );
    return rows.length > 0;
  }

  return {
    /** Adds an entry, or counts the refusals in the entry that its reason has. */
    add(refusal: WebhookRefusal, { window, perSource, mayAdd }: RefusalLimits): void {
      if (repeated(refusal, window) || !mayAdd) return;
      insertRow(sql, "webhook_refusals", {
        id: refusal.id,
        source: refusal.source,
        code: refusal.code,
        detail: refusal.detail,
        recorded: refusal.recorded ? 1 : 0,
        first_at: refusal.firstAt,
        last_at: refusal.lastAt,
        count: refusal.count,
        method: refusal.method,
        headers: JSON.stringify(refusal.headers),
        address: refusal.address,
        bytes: refusal.bytes,
      });
      trim(refusal.source, perSource);
    },
    /** Those of a source with a refusal after `since`, by the newest refusal of each, newest first. */
    list(source: string, since: Millis): readonly WebhookRefusal[] {
      return sql
        .exec(
          `SELECT * FROM webhook_refusals WHERE source = ? AND last_at > ? ORDER BY last_at DESC, seq DESC`,
          source,
          since,
        )
        .map(readRefusal);
    },
    /** Counts deliveries to names that no source has. They share one entry for the whole mesh. */
    addUnknown({ firstAt, lastAt, count }: UnknownSources, id: string): void {
      const nothing = { code: "not_found", detail: "", recorded: false, method: "" } as const;
      const entry = { ...nothing, headers: {}, address: "", bytes: null, source: NO_SOURCE };
      const refusal = { ...entry, id, firstAt, lastAt, count };
      this.add(refusal, { window: Number.MAX_SAFE_INTEGER, perSource: 1, mayAdd: true });
    },
    unknown(since: Millis): UnknownSources | null {
      const entry = this.list(NO_SOURCE, since)[0];
      if (entry === undefined) return null;
      return { firstAt: entry.firstAt, lastAt: entry.lastAt, count: entry.count };
    },
    removeOf(source: string): void {
      sql.exec(`DELETE FROM webhook_refusals WHERE source = ?`, source);
    },
    prune(before: Millis): void {
      sql.exec(`DELETE FROM webhook_refusals WHERE last_at <= ?`, before);
    },
    oldest(): Millis | null {
      const row = sql.exec(`SELECT MIN(last_at) AS at FROM webhook_refusals`)[0];
      return numberOrNull(row as SqlRow, "at");
    },
  };
}

const readRefusal = (row: SqlRow): WebhookRefusal => ({
  id: text(row, "id"),
  source: text(row, "source"),
  code: text(row, "code") as ErrorCode,
  detail: text(row, "detail"),
  recorded: number(row, "recorded") === 1,
  firstAt: number(row, "first_at"),
  lastAt: number(row, "last_at"),
  count: number(row, "count"),
  method: text(row, "method"),
  headers: json<Record<string, string>>(row, "headers"),
  address: text(row, "address"),
  bytes: numberOrNull(row, "bytes"),
});
