import type { Millis } from "../base/clock.ts";
import type { Scope } from "../protocol/http.ts";
import {
  OWNER_LIMIT_COLUMNS,
  ownerLimitValues,
  readOwnerLimits,
  type OwnerLimits,
} from "./owner-limits.ts";
import { number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

export interface ApiToken {
  readonly id: string;
  /** SHA-256 of the token, in hex. */
  readonly hash: string;
  readonly label: string;
  readonly scope: Scope;
  readonly createdAt: Millis;
  readonly revokedAt: Millis | null;
  readonly limits: OwnerLimits;
}

interface ApiTokenEvents {
  /** The limits of an owner may have changed. */
  readonly onLimits: () => void;
  /** A token was revoked. */
  readonly onLoss: () => void;
}

export function apiTokensTable(sql: Sql, { onLimits, onLoss }: ApiTokenEvents) {
  return {
    get(id: string): ApiToken | null {
      const row = sql.exec(`SELECT * FROM api_tokens WHERE id = ?`, id)[0];
      return row === undefined ? null : readToken(row);
    },
    insert(token: ApiToken): void {
      sql.exec(
        `INSERT INTO api_tokens (id, hash, label, scope, created_at, revoked_at, ${OWNER_LIMIT_COLUMNS})
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        token.id,
        token.hash,
        token.label,
        token.scope,
        token.createdAt,
        token.revokedAt,
        ...ownerLimitValues(token.limits),
      );
      onLimits();
    },
    setLimits(id: string, limits: OwnerLimits): void {
      sql.exec(
        `UPDATE api_tokens SET (${OWNER_LIMIT_COLUMNS}) = (?, ?, ?, ?) WHERE id = ?`,
        ...ownerLimitValues(limits),
        id,
      );
      onLimits();
    },
    revoke(id: string, now: Millis): void {
      onLoss();
      sql.exec(`UPDATE api_tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL`, now, id);
    },
    list(): readonly ApiToken[] {
      return sql.exec(`SELECT * FROM api_tokens ORDER BY created_at, id`).map(readToken);
    },
    /** Tokens that are not revoked. */
    count(): number {
      const row = sql.exec(`SELECT COUNT(*) AS count FROM api_tokens WHERE revoked_at IS NULL`)[0];
      return number(row as SqlRow, "count");
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
  limits: readOwnerLimits(row),
});
