import { DAY, type Millis } from "../base/clock.ts";
import { refilled, takeToken, type TokenRate } from "../base/token-bucket.ts";
import { KV_RECORDS_PER_PEER_DAY } from "../protocol/constants.ts";
import type { PeerId } from "../protocol/ids.ts";
import { minimum, number, type Sql } from "./sql.ts";

/** Records that are stored for one peer. Each causes one KV write, and one deletion at most. */
const SHARE: TokenRate = {
  tokens: KV_RECORDS_PER_PEER_DAY,
  per: DAY,
  max: KV_RECORDS_PER_PEER_DAY,
};

/** What each peer has left of its own share of the KV writes. A peer without a row has all of it. */
export function kvSharesTable(sql: Sql) {
  function bucketOf(peerId: PeerId, now: Millis) {
    const row = sql.exec(`SELECT tokens, at FROM kv_shares WHERE peer_id = ?`, peerId)[0];
    return row === undefined
      ? { tokens: SHARE.max, at: now }
      : { tokens: number(row, "tokens"), at: number(row, "at") };
  }

  return {
    /** When the peer may have a record stored: now, or later when its share is used up. */
    availableAt(peerId: PeerId, now: Millis): Millis {
      const { tokens } = refilled(bucketOf(peerId, now), SHARE, now);
      return tokens >= 1 ? now : now + Math.ceil(((1 - tokens) * SHARE.per) / SHARE.tokens);
    },
    /** Takes one record from a peer's share. */
    spend(peerId: PeerId, now: Millis): void {
      const left = takeToken(bucketOf(peerId, now), SHARE, now) ?? { tokens: 0, at: now };
      sql.exec(
        `INSERT OR REPLACE INTO kv_shares (peer_id, tokens, at) VALUES (?, ?, ?)`,
        peerId,
        left.tokens,
        left.at,
      );
    },
    /** Removes rows that say nothing any more: a share is whole again after a day. */
    prune(now: Millis): void {
      sql.exec(`DELETE FROM kv_shares WHERE at <= ?`, now - SHARE.per);
    },
    oldest: (): Millis | null => minimum(sql, `SELECT MIN(at) AS at FROM kv_shares`),
    /** A rotated key has what the old one had. */
    move(from: PeerId, to: PeerId): void {
      sql.exec(`UPDATE OR REPLACE kv_shares SET peer_id = ? WHERE peer_id = ?`, to, from);
    },
  };
}
