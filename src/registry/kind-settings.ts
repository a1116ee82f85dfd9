import type { Millis } from "../base/clock.ts";
import { takeToken, type TokenBucket, type TokenRate } from "../base/token-bucket.ts";
import { UndoMap } from "../base/undo-map.ts";
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

/** The settings of kinds, all in memory, and the token buckets of their rates, which are only in memory. */
export function kindSettingsTable(sql: Sql) {
  const settings = new UndoMap<string, KindSettings>();
  const buckets = new UndoMap<string, TokenBucket>();
  for (const row of sql.exec(`SELECT * FROM kind_settings`))
    settings.set(text(row, "kind"), readSettings(row));

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
    },

    /** True when there were settings. */
    remove(kind: string): boolean {
      sql.exec(`DELETE FROM kind_settings WHERE kind = ?`, kind);
      const known = settings.get(kind) !== undefined;
      settings.delete(kind);
      buckets.delete(kind);
      return known;
    },

    /** When the rate of a kind permits the next offer: `now` when it does so now. */
    permittedAt(kind: string, now: Millis): Millis {
      const rate = rateOf(settings.get(kind));
      if (rate === null) return now;
      const bucket = bucketOf(kind, now);
      if (takeToken(bucket, rate, now) !== null) return now;
      const missing = 1 - bucket.tokens;
      return Math.max(now + 1, Math.ceil(bucket.at + (missing * rate.per) / rate.tokens));
    },

    /** Counts an offer of a task of the kind. */
    offered(kind: string, now: Millis): void {
      const rate = rateOf(settings.get(kind));
      if (rate === null) return;
      const rest = takeToken(bucketOf(kind, now), rate, now);
      if (rest !== null) buckets.set(kind, rest);
    },
  };
}

const rateOf = (settings: KindSettings | undefined): TokenRate | null =>
  settings === undefined || settings.rate === null
    ? null
    : { tokens: settings.rate.perSecond, per: 1_000, max: settings.rate.burst };

function readSettings(row: SqlRow): KindSettings {
  const perSecond = numberOrNull(row, "rate_per_second");
  return {
    attemptTimeoutMs: numberOrNull(row, "attempt_timeout_ms"),
    concurrency: numberOrNull(row, "concurrency"),
    rate: perSecond === null ? null : { perSecond, burst: number(row, "rate_burst") },
  };
}
