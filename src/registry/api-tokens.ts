import { MINUTE, type Millis } from "../base/clock.ts";
import { UndoMap } from "../base/undo-map.ts";
import type { Scope, TokenState } from "../protocol/http.ts";
import type { Facts } from "./facts.ts";
import {
  OWNER_LIMIT_COLUMNS,
  ownerLimitValues,
  readOwnerLimits,
  type OwnerLimits,
} from "./owner-limits.ts";
import { flag, minimum, number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";
import { WriteBehind } from "./write-behind.ts";

export interface ApiToken {
  readonly id: string;
  /** SHA-256 of the token, in hex. */
  readonly hash: string;
  readonly label: string;
  readonly scope: Scope;
  readonly createdAt: Millis;
  readonly revokedAt: Millis | null;
  /** From this time on it grants nothing; null: it does not expire. */
  readonly expiresAt: Millis | null;
  /** Whether its end was noted: then it is over for ever, also when the clock is set back. */
  readonly hasExpired: boolean;
  readonly limits: OwnerLimits;
}

/** Which tokens a list shows; null: all. Tokens are ordered by `createdAt`, then by `id`. */
export interface TokenSelection {
  readonly scope: Scope | null;
  /** A part of the label, in any case. */
  readonly label: string | null;
  readonly state: TokenState | null;
  readonly after: { readonly createdAt: Millis; readonly id: string } | null;
  readonly limit: number;
}

type Validity = Pick<ApiToken, "revokedAt" | "expiresAt" | "hasExpired">;

/** What a token is at a time. A revoked token stays revoked, and an expired one expired. */
export const tokenStateOf = (token: Validity, now: Millis): TokenState => {
  if (token.revokedAt !== null) return "revoked";
  return validUntilOf(token) <= now ? "expired" : "active";
};

/** From when on a token is over: at any time once that was noted, never without an end. */
const validUntilOf = ({ revokedAt, expiresAt, hasExpired }: Validity): Millis =>
  revokedAt !== null || hasExpired ? 0 : (expiresAt ?? Number.POSITIVE_INFINITY);

/** The same in SQL, where ?1 is the time. */
const STATE = `CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expired = 1 OR expires_at <= ?1 THEN 'expired' ELSE 'active' END`;

/** The last use of a token is kept to this, so that a token in use is written at most this often. */
const LAST_USE_STEP: Millis = 10 * MINUTE;

interface ApiTokenEvents {
  /** The limits of an owner may have changed. */
  readonly onLimits: () => void;
  /** A token was revoked, or has expired. */
  readonly onLoss: () => void;
  readonly facts: Pick<Facts, "note" | "noteLoss">;
}

/** Tokens of which it is in memory until when they are valid. */
const KEPT_MAX = 2_000;

export function apiTokensTable(sql: Sql, { onLimits, onLoss, facts }: ApiTokenEvents) {
  const lastUses = new WriteBehind<Millis>({
    read: (ids) =>
      sql
        .exec(
          `SELECT id, last_used_at FROM api_tokens WHERE last_used_at IS NOT NULL
             AND id IN (SELECT value FROM json_each(?))`,
          JSON.stringify(ids),
        )
        .map((row) => [text(row, "id"), number(row, "last_used_at")] as const),
    write: (id, at) => void sql.exec(`UPDATE api_tokens SET last_used_at = ? WHERE id = ?`, at, id),
  });
  const validUntil = new UndoMap<string, Millis>();
  return {
    /** Last uses in memory, written with the measurements. */
    kept: lastUses,
    lastUsedAt: (id: string): Millis | null => lastUses.get(id),
    /** Notes that a token was used. */
    noteUse(id: string, now: Millis): void {
      const before = lastUses.get(id);
      if (before === null || now - before >= LAST_USE_STEP) lastUses.put(id, now);
    },
    validUntil,
    /** Whether a token was revoked or has expired. Every command of a token asks, so the answer is in memory. */
    isOver(id: string, now: Millis): boolean {
      let until = validUntil.get(id);
      if (until === undefined) {
        if (validUntil.size >= KEPT_MAX) validUntil.clear();
        const token = this.get(id);
        // The gateway has accepted it: a token without a row was removed meanwhile.
        until = token === null ? 0 : validUntilOf(token);
        validUntil.set(id, until);
      }
      return until <= now;
    },
    get(id: string): ApiToken | null {
      const row = sql.exec(`SELECT * FROM api_tokens WHERE id = ?`, id)[0];
      return row === undefined ? null : readToken(row);
    },
    insert(token: ApiToken): void {
      sql.exec(
        `INSERT INTO api_tokens (id, hash, label, scope, created_at, revoked_at, expires_at, ${OWNER_LIMIT_COLUMNS})
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        token.id,
        token.hash,
        token.label,
        token.scope,
        token.createdAt,
        token.revokedAt,
        token.expiresAt,
        ...ownerLimitValues(token.limits),
      );
      onLimits();
      facts.note("api_tokens", [token.id]);
    },
    setLimits(id: string, limits: OwnerLimits): void {
      sql.exec(
        `UPDATE api_tokens SET (${OWNER_LIMIT_COLUMNS}) = (?, ?, ?, ?, ?) WHERE id = ?`,
        ...ownerLimitValues(limits),
        id,
      );
      onLimits();
      facts.note("api_tokens", [id]);
    },
    /** The row is now that of cell 0. */
    wroteCopy(id: string): void {
      validUntil.delete(id);
      onLoss();
      onLimits();
    },
    revoke(id: string, now: Millis): void {
      validUntil.delete(id);
      onLoss();
      facts.noteLoss("api_tokens", [id]);
      sql.exec(`UPDATE api_tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL`, now, id);
    },
    list({ scope, label, state, after, limit }: TokenSelection, now: Millis): readonly ApiToken[] {
      return sql
        .exec(
          `SELECT * FROM api_tokens
           WHERE (?2 IS NULL OR scope = ?2) AND (?3 IS NULL OR instr(lower(label), lower(?3)) > 0)
             AND (?4 IS NULL OR ${STATE} = ?4)
             AND (?5 IS NULL OR created_at > ?5 OR (created_at = ?5 AND id > ?6))
           ORDER BY created_at, id LIMIT ?7`,
          now,
          scope,
          label,
          state,
          after?.createdAt ?? null,
          after?.id ?? null,
          limit,
        )
        .map(readToken);
    },
    /** When the first token ended, by revocation or by its expiry. */
    oldest: (): Millis | null =>
      minimum(
        sql,
        `SELECT MIN(COALESCE(revoked_at, expires_at)) AS at FROM api_tokens WHERE revoked_at IS NOT NULL OR expired = 1`,
      ),
    /** Tokens that are neither revoked nor expired. */
    count(now: Millis): number {
      const row = sql.exec(
        `SELECT COUNT(*) AS count FROM api_tokens WHERE ${STATE} = 'active'`,
        now,
      )[0];
      return number(row as SqlRow, "count");
    },
    /** Notes the tokens whose time is over, so that what they held is judged again. */
    expire(now: Millis): void {
      const due = sql.exec(
        `SELECT 1 FROM api_tokens WHERE expired = 0 AND expires_at IS NOT NULL AND expires_at <= ? LIMIT 1`,
        now,
      );
      if (due.length === 0) return;
      validUntil.clear();
      onLoss();
      sql.exec(
        `UPDATE api_tokens SET expired = 1 WHERE expired = 0 AND expires_at IS NOT NULL AND expires_at <= ?`,
        now,
      );
    },
    /** When the next token expires. */
    nextExpiry(): Millis | null {
      const row = sql.exec(
        `SELECT MIN(expires_at) AS next FROM api_tokens WHERE expired = 0 AND expires_at IS NOT NULL`,
      )[0];
      return numberOrNull(row as SqlRow, "next");
    },
    /** Removes tokens that were revoked or have expired before; returns their IDs. */
    prune(before: Millis): readonly string[] {
      const ids = sql
        .exec(
          `SELECT id FROM api_tokens WHERE revoked_at < ?1 OR (expired = 1 AND expires_at < ?1)`,
          before,
        )
        .map((row) => text(row, "id"));
      for (const id of ids) {
        sql.exec(`DELETE FROM api_tokens WHERE id = ?`, id);
        lastUses.wrote(id, null);
        facts.note("api_tokens", [id]);
      }
      if (ids.length > 0) onLimits();
      return ids;
    },
  };
}

const readToken = (row: SqlRow): ApiToken => ({
  id: text(row, "id"),
  hash: text(row, "hash"),
  label: text(row, "label"),
  scope: text(row, "scope") as Scope,
  createdAt: number(row, "created_at"),
  revokedAt: numberOrNull(row, "revoked_at"),
  expiresAt: numberOrNull(row, "expires_at"),
  hasExpired: flag(row, "expired"),
  limits: readOwnerLimits(row),
});
