import type { Millis } from "../base/clock.ts";
import type { JsonObject } from "../base/json.ts";
import { insertRow, json, minimum, number, text, type Sql, type SqlRow } from "./sql.ts";

/**
 * Whose acts an entry is counted with. Entries of the operator (admin scope, and the mesh itself) are kept until their
 * retention is over. Those of listed keys and of other API tokens, and those of strangers, have a limit of their own each.
 */
export type AuditBudget = "operator" | "listed" | "stranger";

/** One audited act: who did what to what, with which outcome. */
export interface AuditAct {
  /** `admin`, `token:` + ID, `peer:` + ID, or `mesh` for what the mesh does by itself. */
  readonly actor: string;
  readonly act: string;
  /** What was acted on: a peer ID, a public key, a token's ID, a source's name. */
  readonly subject: string;
  /** `ok`, or the error's code. */
  readonly outcome: string;
  readonly detail: JsonObject;
}

/** An act that is added, and the members of its detail of which an entry only shows the newest value. */
export interface AddedAct extends AuditAct {
  readonly newestOf?: readonly string[];
}

/** An act, and how often it was repeated: repetitions have no entries of their own. */
export interface AuditEntry extends AuditAct {
  readonly seq: number;
  readonly budget: AuditBudget;
  /** When it happened first, and when last. */
  readonly at: Millis;
  readonly lastAt: Millis;
  readonly count: number;
}

export interface AuditLimits {
  /** For this long after its first time, a repeated act is counted in the entry that it has. */
  readonly window: Millis;
  /** Entries of one actor that is not the operator. */
  readonly perActor: number;
  readonly listed: number;
  readonly stranger: number;
  /** Entries after which the two limits above are applied: a table has at most so many more. */
  readonly trimEvery: number;
}

export interface AuditFilter {
  readonly subject?: string | undefined;
  readonly act?: string | undefined;
  /** Only entries older than the one with this sequence number. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** The newest entries of an actor among which a repeated act is looked for: an actor has few different acts. */
const COMPARED = 16;
/** Entries past their retention that are removed at once. */
const PRUNED_AT_ONCE = 1_000;

export function auditTable(sql: Sql, limits: AuditLimits) {
  /** The entry that a repeated act is counted in; null when it needs one of its own. */
  function repeated(act: AddedAct, budget: AuditBudget, now: Millis): AuditEntry | null {
    // The operator's acts are a history, whose order and details matter: only an equal act right after it is a repetition.
    // Of others an act that succeeded is a repetition only if it did the same. Refusals did nothing, and whoever causes them chooses their details.
    const compared = budget === "operator" ? 1 : COMPARED;
    const same = sql
      .exec(`SELECT * FROM audit WHERE actor = ? ORDER BY seq DESC LIMIT ?`, act.actor, compared)
      .map(readEntry)
      .find(
        (entry) =>
          entry.act === act.act &&
          entry.outcome === act.outcome &&
          (budget === "operator"
            ? isEqual(entry, act, [])
            : act.outcome !== "ok" || isEqual(entry, act, act.newestOf)),
      );
    return same !== undefined && now - same.at < limits.window ? same : null;
  }

  /** Removes the oldest entries of an actor above its limit. */
  function trimActor(actor: string): void {
    sql.exec(
      `DELETE FROM audit WHERE actor = ?1 AND budget <> 'operator' AND seq <= (
         SELECT seq FROM audit WHERE actor = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)`,
      actor,
      limits.perActor,
    );
  }

  function trim(budget: "listed" | "stranger"): void {
    sql.exec(
      `DELETE FROM audit WHERE budget = ?1 AND budget <> 'operator' AND seq <= (
         SELECT seq FROM audit WHERE budget = ?1 AND budget <> 'operator' ORDER BY seq DESC LIMIT 1 OFFSET ?2)`,
      budget,
      limits[budget],
    );
  }

  return {
    /** Adds an entry, or counts a repetition in the entry of the same act. An entry shows the newest subject and detail. */
    add(act: AddedAct, budget: AuditBudget, now: Millis): void {
      const detail = JSON.stringify(act.detail);
      const same = repeated(act, budget, now);
      if (same !== null) {
        sql.exec(
          `UPDATE audit SET last_at = ?, count = count + 1, subject = ?, detail = ? WHERE seq = ?`,
          now,
          act.subject,
          detail,
          same.seq,
        );
        return;
      }
      const [row] = sql.exec(
        `INSERT INTO audit (at, last_at, actor, act, subject, outcome, detail, budget)
         VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING seq`,
        now,
        act.actor,
        act.act,
        act.subject,
        act.outcome,
        detail,
        budget,
      );
      if (budget !== "operator") trimActor(act.actor);
      if (number(row as SqlRow, "seq") % limits.trimEvery !== 0) return;
      trim("listed");
      trim("stranger");
    },
    /** Newest first, by the first time of each. */
    list({ subject, act, before, limit }: AuditFilter): readonly AuditEntry[] {
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
    /** The same in the order of places: entries that are older than `at`, or as old with a smaller sequence number. */
    listBehind(
      { subject, act, limit }: AuditFilter,
      { at, seq }: { readonly at: Millis; readonly seq: number },
    ): readonly AuditEntry[] {
      return sql
        .exec(
          `SELECT * FROM audit WHERE at <= ?1 AND (at < ?1 OR seq < ?2) AND (?3 IS NULL OR subject = ?3) AND (?4 IS NULL OR act = ?4)
           ORDER BY at DESC, seq DESC LIMIT ?5`,
          at,
          seq,
          subject ?? null,
          act ?? null,
          limit,
        )
        .map(readEntry);
    },
    /** The entry with this sequence number. If there is no such entry any more, the next newer one; null if there is none. */
    atOrAfter(seq: number): AuditEntry | null {
      const [row] = sql.exec(`SELECT * FROM audit WHERE seq >= ? ORDER BY seq LIMIT 1`, seq);
      return row === undefined ? null : readEntry(row);
    },
    /** Takes out the oldest entries, for the cell that keeps them from now on. */
    takeOldest(limit: number): readonly AuditEntry[] {
      return sql
        .exec(
          `DELETE FROM audit WHERE seq IN (SELECT seq FROM audit ORDER BY seq LIMIT ?) RETURNING *`,
          limit,
        )
        .map(readEntry)
        .toSorted((a, b) => a.seq - b.seq);
    },
    /** Adds entries of another cell, as they are but for their numbers. */
    addMoved(entries: readonly AuditEntry[]): void {
      for (const { at, lastAt, count, actor, act, subject, outcome, detail, budget } of entries)
        insertRow(sql, "audit", {
          at,
          last_at: lastAt,
          count,
          actor,
          act,
          subject,
          outcome,
          detail: JSON.stringify(detail),
          budget,
        });
      trim("listed");
      trim("stranger");
    },
    /** When the first entry was written. */
    oldest: (): Millis | null =>
      minimum(sql, `SELECT (SELECT at FROM audit ORDER BY seq LIMIT 1) AS at`),
    /** Removes entries past their retention. */
    prune(before: Millis): void {
      const oldest = sql.exec(`SELECT at FROM audit ORDER BY seq LIMIT 1`)[0];
      if (oldest === undefined || number(oldest, "at") >= before) return;
      sql.exec(
        `DELETE FROM audit WHERE at < ? AND seq IN (SELECT seq FROM audit ORDER BY seq LIMIT ${PRUNED_AT_ONCE})`,
        before,
      );
    },
  };
}

/** Whether two acts have the same subject and detail, except for some members of the detail. */
function isEqual(a: AuditAct, b: AuditAct, except: readonly string[] = []): boolean {
  const compared = ({ detail }: AuditAct): string =>
    JSON.stringify(Object.entries(detail).filter(([name]) => !except.includes(name)));
  return a.subject === b.subject && compared(a) === compared(b);
}

const readEntry = (row: SqlRow): AuditEntry => ({
  seq: number(row, "seq"),
  budget: text(row, "budget") as AuditBudget,
  at: number(row, "at"),
  lastAt: number(row, "last_at"),
  count: number(row, "count"),
  actor: text(row, "actor"),
  act: text(row, "act"),
  subject: text(row, "subject"),
  outcome: text(row, "outcome"),
  detail: json<JsonObject>(row, "detail"),
});
