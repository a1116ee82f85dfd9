import { MINUTE, type Millis } from "../base/clock.ts";
import { takeToken, type TokenBucket, type TokenRate } from "../base/token-bucket.ts";
import { UndoMap } from "../base/undo-map.ts";
import type { Cells } from "./cells.ts";
import type { Facts } from "./facts.ts";
import { number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/** What the operator has set for a kind of task. Null: not set. */
export interface KindSettings {
  /** How long an attempt may take; a task's own value goes first. */
  readonly attemptTimeoutMs: Millis | null;
  /** Tasks of the kind that peers hold at once, in the whole mesh. */
  readonly concurrency: number | null;
  /** How many tasks of the kind are offered, in the whole mesh. */
  readonly rate: { readonly perSecond: number; readonly burst: number } | null;
}

interface KindSettingsPorts {
  readonly facts: Pick<Facts, "note">;
  /** A rate of the whole mesh is shared by its cells. */
  readonly cells: Pick<Cells, "shareOf" | "shareOfRate">;
}

/** The settings of kinds, all in memory, and the token buckets of their rates, which are only in memory. */
export function kindSettingsTable(sql: Sql, { facts, cells }: KindSettingsPorts) {
  const settings = new UndoMap<string, KindSettings>();
  const buckets = new UndoMap<string, TokenBucket>();
  for (const row of sql.exec(`SELECT * FROM kind_settings`))
    settings.set(text(row, "kind"), readSettings(row));

  /** This cell's share of the rate of a kind; null if the kind has none. */
  function rateOf(kind: string): TokenRate | null {
    const rate = settings.get(kind)?.rate ?? null;
    if (rate === null) return null;
    // A cell whose share of the burst is less than one task still offers one at a time.
    const max = Math.max(1, cells.shareOf(`burst ${kind}`, rate.burst));
    return { tokens: cells.shareOfRate(rate.perSecond), per: 1_000, max };
  }

  /** The bucket of a kind. It begins with one token, so that a restart of the mesh does not permit a second burst. */
  function bucketOf(kind: string, now: Millis): TokenBucket {
    const known = buckets.get(kind);
    if (known === undefined) return { tokens: 1, at: now };
    if (known.at <= now) return known;
    // The clock was set back: the kind does not wait until it has caught up.
    const moved = { ...known, at: now };
    buckets.set(kind, moved);
    return moved;
  }

  return {
    kept: [settings, buckets] as const,

    get: (kind: string): KindSettings | null => settings.get(kind) ?? null,

    /** How many kinds have settings. */
    count: (): number => settings.size,

    list: (): readonly (readonly [string, KindSettings])[] =>
      [...settings.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)),

    put(kind: string, value: KindSettings): void {
      sql.exec(
        `INSERT OR REPLACE INTO kind_settings (kind, attempt_timeout_ms, concurrency, rate_per_second, rate_burst)
         VALUES (?, ?, ?, ?, ?)`,
        kind,
        value.attemptTimeoutMs,
        value.concurrency,
        value.rate?.perSecond ?? null,
        value.rate?.burst ?? null,
      );
      settings.set(kind, value);
      buckets.delete(kind);
      facts.note("kind_settings", [kind]);
    },

    /** The row is now that of cell 0. */
    wroteCopy(kind: string): void {
      const [row] = sql.exec(`SELECT * FROM kind_settings WHERE kind = ?`, kind);
      if (row === undefined) settings.delete(kind);
      else settings.set(kind, readSettings(row));
      buckets.delete(kind);
    },

    /** True when there were settings. */
    remove(kind: string): boolean {
      sql.exec(`DELETE FROM kind_settings WHERE kind = ?`, kind);
      const known = settings.get(kind) !== undefined;
      settings.delete(kind);
      buckets.delete(kind);
      facts.note("kind_settings", [kind]);
      return known;
    },

    /** When the rate of a kind permits the next offer: `now` when it does so now. */
    permittedAt(kind: string, now: Millis): Millis {
      const rate = rateOf(kind);
      if (rate === null) return now;
      if (rate.tokens === 0) return now + NO_SHARE_PAUSE;
      const bucket = bucketOf(kind, now);
      if (takeToken(bucket, rate, now) !== null) return now;
      const missing = 1 - bucket.tokens;
      return Math.max(now + 1, Math.ceil(bucket.at + (missing * rate.per) / rate.tokens));
    },

    /** Counts an offer of a task of the kind. */
    offered(kind: string, now: Millis): void {
      const rate = rateOf(kind);
      if (rate === null) return;
      const rest = takeToken(bucketOf(kind, now), rate, now);
      if (rest !== null) buckets.set(kind, rest);
    },
  };
}

/** A cell that drains has no share of a rate: it looks again after this time. */
const NO_SHARE_PAUSE: Millis = MINUTE;

function readSettings(row: SqlRow): KindSettings {
  const perSecond = numberOrNull(row, "rate_per_second");
  return {
    attemptTimeoutMs: numberOrNull(row, "attempt_timeout_ms"),
    concurrency: numberOrNull(row, "concurrency"),
    rate: perSecond === null ? null : { perSecond, burst: number(row, "rate_burst") },
  };
}
