import type { Millis } from "../base/clock.ts";
import type { HolderStanding } from "../peers/discovery-rights.ts";
import type { Facts } from "./facts.ts";
import { flag, insertRow, number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/** A discovery epoch. Its number only grows. */
export interface DiscoveryEpoch {
  readonly epoch: number;
  /** Its secrets in hex, sealed and bound to its number. */
  readonly sealed: string;
  /** The public key that its records are sealed to, in hex. */
  readonly publicKey: string;
  readonly openedAt: Millis;
  /** Since when nothing is published under it any more; null while it is open. */
  readonly closedAt: Millis | null;
  /** Whether it was closed because a holder of its keys lost the right to them. */
  readonly expelled: boolean;
  /** When everything that was published under it expires. */
  readonly expiresAt: Millis;
}

/** The holder that stands for strangers (peers whose keys are not listed) when there are too many of them. */
const STRANGERS = "*";
const IS_STRANGER = `(holder = '${STRANGERS}' OR (holder LIKE 'peer:%' AND NOT EXISTS (SELECT 1 FROM allowlist WHERE peer_id = substr(holder, 6))))`;
/** Whether the operator has revoked any key since the keys were given out: it may be that of a stranger who holds them. */
const ANY_REVOKED = `EXISTS (SELECT 1 FROM denylist WHERE rotated = 0
  AND denied_at >= (SELECT MIN(opened_at) FROM discovery_epochs WHERE expelled = 0))`;

/** The first epoch whose reader token may still read. A cell may not have the copy of a peer's newest epoch yet: it counts. */
const FIRST_READABLE = `COALESCE((SELECT MIN(epoch) FROM discovery_epochs WHERE expelled = 0),
  (SELECT MAX(epoch) + 1 FROM discovery_epochs), 0)`;

export function discoveryEpochsTable(sql: Sql, facts: Pick<Facts, "note">) {
  const note = (rows: readonly SqlRow[]): void => {
    for (const row of rows) facts.note("discovery_epochs", [number(row, "epoch")]);
  };
  return {
    /** The epochs under which records may still be published or found, the newest last. */
    list(): readonly DiscoveryEpoch[] {
      return sql.exec(`SELECT * FROM discovery_epochs ORDER BY epoch`).map(readEpoch);
    },
    newest(): DiscoveryEpoch | null {
      const row = sql.exec(`SELECT * FROM discovery_epochs ORDER BY epoch DESC LIMIT 1`)[0];
      return row === undefined ? null : readEpoch(row);
    },
    insert(epoch: DiscoveryEpoch): void {
      insertRow(sql, "discovery_epochs", {
        epoch: epoch.epoch,
        sealed: epoch.sealed,
        public_key: epoch.publicKey,
        opened_at: epoch.openedAt,
        closed_at: epoch.closedAt,
        expelled: Number(epoch.expelled),
        expires_at: epoch.expiresAt,
      });
      facts.note("discovery_epochs", [epoch.epoch]);
    },
    close(epoch: number, now: Millis): void {
      note(
        sql.exec(
          `UPDATE discovery_epochs SET closed_at = ? WHERE epoch = ? AND closed_at IS NULL RETURNING epoch`,
          now,
          epoch,
        ),
      );
    },
    /** Closes the epochs up to this one because a holder of their keys lost its right. */
    expelUpTo(epoch: number, now: Millis): void {
      note(
        sql.exec(
          `UPDATE discovery_epochs SET closed_at = COALESCE(closed_at, ?), expelled = 1
           WHERE epoch <= ? AND expelled = 0 RETURNING epoch`,
          now,
          epoch,
        ),
      );
    },
    /** Erases the secrets with the rows. */
    removeBefore(epoch: number): void {
      note(sql.exec(`DELETE FROM discovery_epochs WHERE epoch < ? RETURNING epoch`, epoch));
    },

    /** Records that a holder got the keys of this epoch. `holder` is `peer:` or `token:` and an ID. */
    noteHolder(holder: string, epoch: number): void {
      sql.exec(
        `INSERT INTO key_holders (holder, epoch) VALUES (?, ?)
         ON CONFLICT (holder) DO UPDATE SET epoch = excluded.epoch WHERE epoch < excluded.epoch`,
        holder,
        epoch,
      );
    },
    /** The newest epoch whose keys the holder got; 0 when it got none. */
    heldBy(holder: string): number {
      const row = sql.exec(`SELECT epoch FROM key_holders WHERE holder = ?`, holder)[0];
      return row === undefined ? 0 : number(row, "epoch");
    },
    /** When more strangers than this hold keys, they are not known one by one any more: one row stands for all of them. */
    limitStrangers(max: number): void {
      const row = sql.exec(
        `SELECT COUNT(*) AS holders, MAX(epoch) AS epoch FROM key_holders WHERE ${IS_STRANGER}`,
      )[0] as SqlRow;
      if (number(row, "holders") <= max) return;
      sql.exec(`DELETE FROM key_holders WHERE ${IS_STRANGER}`);
      sql.exec(
        `INSERT INTO key_holders (holder, epoch) VALUES ('${STRANGERS}', ?)`,
        number(row, "epoch"),
      );
    },
    /** The holder has another name from now on. */
    handOver(from: string, to: string): void {
      sql.exec(`UPDATE OR REPLACE key_holders SET holder = ? WHERE holder = ?`, to, from);
    },
    anyHolder(): boolean {
      return sql.exec(`SELECT 1 FROM key_holders LIMIT 1`).length > 0;
    },
    /** Everyone who has keys of an epoch that is not expelled: the newest such epoch, and what the tables say about the holder. */
    holders(): readonly { readonly epoch: number; readonly standing: HolderStanding }[] {
      return sql
        .exec(
          `SELECT holder, epoch, holder = '${STRANGERS}' OR holder LIKE 'peer:%' AS is_peer,
             CASE WHEN holder = '${STRANGERS}' THEN ${ANY_REVOKED}
               ELSE EXISTS (SELECT 1 FROM denylist WHERE peer_id = substr(holder, 6)) END AS denied,
             EXISTS (SELECT 1 FROM allowlist WHERE peer_id = substr(holder, 6)) AS listed,
             EXISTS (SELECT 1 FROM api_tokens WHERE id = substr(holder, 7) AND revoked_at IS NULL AND expired = 0) AS valid
           FROM key_holders WHERE epoch >= ${FIRST_READABLE}`,
        )
        .map((row) => ({ epoch: number(row, "epoch"), standing: standingOf(row) }));
    },
    forgetHoldersBefore(epoch: number): void {
      sql.exec(`DELETE FROM key_holders WHERE epoch < ?`, epoch);
    },
  };
}

function standingOf(row: SqlRow): HolderStanding {
  if (flag(row, "is_peer"))
    return { type: "peer", denied: flag(row, "denied"), listed: flag(row, "listed") };
  return text(row, "holder") === OPERATOR
    ? { type: "operator" }
    : { type: "token", valid: flag(row, "valid") };
}

/** The holder name of the admin token, which has no row. */
const OPERATOR = "token:admin";

const readEpoch = (row: SqlRow): DiscoveryEpoch => ({
  epoch: number(row, "epoch"),
  sealed: text(row, "sealed"),
  publicKey: text(row, "public_key"),
  openedAt: number(row, "opened_at"),
  closedAt: numberOrNull(row, "closed_at"),
  expelled: flag(row, "expelled"),
  expiresAt: number(row, "expires_at"),
});
