import { UndoMap } from "../base/undo-map.ts";
import { number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/** What the owner of tasks may have, as its API token or its allowlist entry says. Null: no limit of its own. */
export interface OwnerLimits {
  /** Its share, compared with those of other owners. */
  readonly weight: number;
  /** Tasks in the queue; null: the default. */
  readonly maxWaiting: number | null;
  /** Tasks that peers hold at once. */
  readonly maxRunning: number | null;
  /** The highest priority that its tasks may have. */
  readonly maxPriority: number | null;
  /** Bytes of its tasks that have not ended; null: the default. */
  readonly maxBytes: number | null;
}

export const NO_OWNER_LIMITS: OwnerLimits = {
  weight: 1,
  maxWaiting: null,
  maxRunning: null,
  maxPriority: null,
  maxBytes: null,
};

/** The columns of `OwnerLimits` in `api_tokens` and `allowlist`. */
export const OWNER_LIMIT_COLUMNS = "weight, max_waiting, max_running, max_priority, max_bytes";

export const readOwnerLimits = (row: SqlRow): OwnerLimits => ({
  weight: number(row, "weight"),
  maxWaiting: numberOrNull(row, "max_waiting"),
  maxRunning: numberOrNull(row, "max_running"),
  maxPriority: numberOrNull(row, "max_priority"),
  maxBytes: numberOrNull(row, "max_bytes"),
});

/** The values of `OWNER_LIMIT_COLUMNS`, in their order. */
export const ownerLimitValues = (limits: OwnerLimits) =>
  [
    limits.weight,
    limits.maxWaiting,
    limits.maxRunning,
    limits.maxPriority,
    limits.maxBytes,
  ] as const;

/** Owners in memory. */
const KEPT_MAX = 2_000;

/**
 * The limits of owners: of a token, by its ID, of a peer, and of a webhook source, by `webhook:` and its name. The admin token
 * has none. Kept in memory once read.
 */
export class OwnerLimitsCache {
  readonly #sql: Sql;
  readonly #kept = new UndoMap<string, OwnerLimits>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  of(owner: string): OwnerLimits {
    const known = this.#kept.get(owner);
    if (known !== undefined) return known;
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear();
    const row = this.#sql.exec(
      `SELECT ${OWNER_LIMIT_COLUMNS} FROM api_tokens WHERE id = ?1
       UNION ALL SELECT ${OWNER_LIMIT_COLUMNS} FROM allowlist WHERE peer_id = ?1
       UNION ALL SELECT 1, NULL, NULL, NULL, max_bytes FROM webhook_sources WHERE 'webhook:' || name = ?1 LIMIT 1`,
      owner,
    )[0];
    const limits = row === undefined ? NO_OWNER_LIMITS : readOwnerLimits(row);
    this.#kept.set(owner, limits);
    return limits;
  }

  /** The weights of all owners whose weight is not 1. */
  weights(): ReadonlyMap<string, number> {
    const rows = this.#sql.exec(
      `SELECT id, weight FROM api_tokens WHERE weight <> 1
       UNION ALL SELECT peer_id, weight FROM allowlist WHERE weight <> 1`,
    );
    return new Map(rows.map((row) => [text(row, "id"), number(row, "weight")]));
  }

  /** A token, an allowlist entry or a webhook source was written. */
  forgetAll(): void {
    this.#kept.clear();
  }

  begin(): void {
    this.#kept.begin();
  }

  commit(): void {
    this.#kept.commit();
  }

  rollback(): void {
    this.#kept.rollback();
  }
}
