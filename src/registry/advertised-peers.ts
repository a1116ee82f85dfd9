import type { Millis } from "../base/clock.ts";
import type { PeerAdvert } from "../peers/advertised-peer.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Role } from "../protocol/messages.ts";
import type { PeerFilter } from "./peers.ts";
import { number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/**
 * When several peers advertise one peer, the advert with the fewest hops is shown, then the oldest. A peer with a
 * record is never shown as advertised.
 */
const IS_SHOWN = `NOT EXISTS (SELECT 1 FROM peers WHERE peers.id = advert.peer_id)
  AND NOT EXISTS (
    SELECT 1 FROM advertised_peers AS other WHERE other.peer_id = advert.peer_id
    AND (other.hops, other.advertised_at, other.advertiser_id) < (advert.hops, advert.advertised_at, advert.advertiser_id)
  )`;

/**
 * Adverts: a row for each advertiser and advertised peer. They are stored apart from the peers' records, so that no
 * advert can overwrite a record, be counted as one, or be assigned tasks.
 */
export function advertisedPeersTable(sql: Sql) {
  return {
    /** The advert to show for a peer without a record; null when no peer advertised it. */
    of(peerId: PeerId): PeerAdvert | null {
      const row = sql.exec(
        `SELECT * FROM advertised_peers AS advert WHERE peer_id = ? AND ${IS_SHOWN}`,
        peerId,
      )[0];
      return row === undefined ? null : readAdvert(row);
    },
    /** The adverts to show for peers without records, by their ID. */
    list({ role, after, limit }: Omit<PeerFilter, "state">): readonly PeerAdvert[] {
      return sql
        .exec(
          `SELECT * FROM advertised_peers AS advert WHERE peer_id > ?1 AND (?2 IS NULL OR role = ?2) AND ${IS_SHOWN}
           ORDER BY peer_id LIMIT ?3`,
          after ?? "",
          role ?? null,
          limit,
        )
        .map(readAdvert);
    },
    by(advertiser: PeerId): readonly PeerAdvert[] {
      return sql
        .exec(`SELECT * FROM advertised_peers WHERE advertiser_id = ?`, advertiser)
        .map(readAdvert);
    },
    put({
      advertiser,
      peerId,
      publicKey,
      address,
      role,
      rttMs,
      hops,
      advertisedAt,
      heardAt,
    }: PeerAdvert): void {
      sql.exec(
        `INSERT OR REPLACE INTO advertised_peers
         (advertiser_id, peer_id, public_key, address, role, rtt_ms, hops, advertised_at, heard_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        advertiser,
        peerId,
        publicKey,
        address,
        role,
        rttMs,
        hops,
        advertisedAt,
        heardAt,
      );
    },
    /** Forgets the oldest adverts of one advertiser, so that `most` are left. */
    keepNewestOf(advertiser: PeerId, most: number): void {
      sql.exec(
        `DELETE FROM advertised_peers WHERE advertiser_id = ?1 AND peer_id IN (
           SELECT peer_id FROM advertised_peers WHERE advertiser_id = ?1
           ORDER BY heard_at DESC, peer_id LIMIT -1 OFFSET ?2
         )`,
        advertiser,
        most,
      );
    },
    /** Forgets the oldest adverts of all, so that `most` are left. */
    keepNewest(most: number): void {
      sql.exec(
        `DELETE FROM advertised_peers WHERE (advertiser_id, peer_id) IN (
           SELECT advertiser_id, peer_id FROM advertised_peers ORDER BY heard_at DESC LIMIT -1 OFFSET ?
         )`,
        most,
      );
    },
    forgetPeer(peerId: PeerId): void {
      sql.exec(`DELETE FROM advertised_peers WHERE peer_id = ?`, peerId);
    },
    forgetAdvertiser(advertiser: PeerId): void {
      sql.exec(`DELETE FROM advertised_peers WHERE advertiser_id = ?`, advertiser);
    },
    /** Forgets adverts that were last repeated at that time or before. */
    prune(until: Millis): void {
      sql.exec(`DELETE FROM advertised_peers WHERE heard_at <= ?`, until);
    },
    /** When the oldest advert was last repeated. */
    oldest(): Millis | null {
      const row = sql.exec(`SELECT MIN(heard_at) AS oldest FROM advertised_peers`)[0];
      return numberOrNull(row as SqlRow, "oldest");
    },
  };
}

const readAdvert = (row: SqlRow): PeerAdvert => ({
  advertiser: text(row, "advertiser_id"),
  peerId: text(row, "peer_id"),
  publicKey: text(row, "public_key"),
  address: text(row, "address"),
  role: text(row, "role") as Role,
  rttMs: numberOrNull(row, "rtt_ms"),
  hops: number(row, "hops"),
  advertisedAt: number(row, "advertised_at"),
  heardAt: number(row, "heard_at"),
});
