import type { Millis } from "../base/clock.ts";
import type { Count, Group } from "../peers/correlated-failures.ts";
import type { Peer } from "../peers/peer.ts";
import type { PeerState } from "../protocol/http.ts";
import type { MeshEvent } from "../protocol/events.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Role } from "../protocol/messages.ts";
import { peerEvent } from "./peer-events.ts";
import { peerTotals } from "./peer-totals.ts";
import { readPeer, readScheduling, writePeer } from "./peer-rows.ts";
import type { Ranked } from "./roster.ts";
import { flag, insertRow, json, number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";
import { WriteBehind } from "./write-behind.ts";

export interface PeerFilter {
  readonly state?: PeerState | undefined;
  readonly role?: Role | undefined;
  /** Only IDs after this one. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Whether a peer's key is not on the allowlist. */
const IS_STRANGER = `NOT EXISTS (SELECT 1 FROM allowlist WHERE allowlist.public_key = peers.public_key)`;

/**
 * @param wrote called after each change with the peer, or null when it was removed
 * @param record keeps the event of a change
 */
export function peersTable(
  sql: Sql,
  wrote: (id: PeerId, peer: Peer | null) => void,
  record: (event: MeshEvent) => void,
) {
  const write = (peer: Peer): void => {
    const columns = writePeer(peer);
    const updates = Object.keys(columns).map((name) => `${name} = excluded.${name}`);
    insertRow(sql, "peers", columns, `ON CONFLICT (id) DO UPDATE SET ${updates.join(", ")}`);
  };
  const kept = new WriteBehind<Peer>({
    read: (ids) =>
      sql
        .exec(
          `SELECT * FROM peers WHERE id IN (SELECT value FROM json_each(?))`,
          JSON.stringify(ids),
        )
        .map((row) => [text(row, "id"), readPeer(row)]),
    write: (_id, peer) => write(peer),
  });
  const recordChange = (peer: Peer): void => {
    const event = peerEvent(peer, kept.get(peer.id));
    if (event !== null) record(event);
  };
  return {
    kept,

    get: (id: PeerId): Peer | null => kept.get(id),

    put(peer: Peer): void {
      recordChange(peer);
      write(peer);
      kept.wrote(peer.id, peer);
      wrote(peer.id, peer);
    },

    /** For a peer of which only measurements changed: it is written a little later, together with others. */
    measured(peer: Peer): void {
      kept.put(peer.id, peer);
      wrote(peer.id, peer);
    },

    remove(id: PeerId): void {
      if (kept.get(id) !== null) record({ type: "peer.removed", peer: id });
      sql.exec(`DELETE FROM peers WHERE id = ?`, id);
      kept.wrote(id, null);
      wrote(id, null);
    },

    /** The rows of peers have been removed or written by another table's statements, because the peers change their cell. This is no event. */
    changedCell(id: PeerId): void {
      kept.forget(id);
      wrote(id, kept.get(id));
    },

    /** By ID, so that pages are stable while scores change. */
    list({ state, role, after, limit }: PeerFilter): readonly Peer[] {
      kept.flush();
      return sql
        .exec(
          `SELECT * FROM peers WHERE id > ?1 AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR role = ?3)
           ORDER BY id LIMIT ?4`,
          after ?? "",
          state ?? null,
          role ?? null,
          limit,
        )
        .map(readPeer);
    },

    /**
     * How many of the connected peers are listed. It goes through the allowlist: an open mesh has many more strangers than entries,
     * and asks this at each admission while it is nearly full.
     */
    connectedListed(): number {
      const row = sql.exec(
        `SELECT COUNT(*) AS count FROM allowlist CROSS JOIN peers ON peers.id = allowlist.peer_id
         WHERE state IN ('active', 'suspect')`,
      )[0];
      return number(row as SqlRow, "count");
    },
    /** The number of records. */
    count: (): number =>
      number(sql.exec(`SELECT COUNT(*) AS count FROM peers`)[0] as SqlRow, "count"),
    /** All peers in numbers, by state and role. Measurements of the last seconds are not in it. */
    totals: (bounds: Parameters<typeof peerTotals>[1]) => peerTotals(sql, bounds),

    /** The connected stranger that the mesh loses least with; `mayHold`: also one that holds tasks. Null when there is none. */
    leastValuableStranger(mayHold: boolean): Peer | null {
      kept.flush();
      const row = sql.exec(
        `SELECT * FROM peers WHERE state IN ('active', 'suspect') AND (?1 OR held = 0) AND ${IS_STRANGER}
         ORDER BY held > 0, successes > 0, score, id LIMIT 1`,
        Number(mayHold),
      )[0];
      return row === undefined ? null : readPeer(row);
    },
    /**
     * IDs of strangers beyond a number of records: disconnected ones that hold nothing, those first that never completed a task,
     * then those that have been away for longest.
     */
    strangersAbove(records: number): readonly PeerId[] {
      const row = sql.exec(`SELECT COUNT(*) AS count FROM peers WHERE ${IS_STRANGER}`)[0];
      const excess = number(row as SqlRow, "count") - records;
      if (excess <= 0) return [];
      return sql
        .exec(
          `SELECT id FROM peers WHERE state = 'stale' AND held = 0 AND ${IS_STRANGER}
           ORDER BY successes > 0, state_since, id LIMIT ?`,
          excess,
        )
        .map((stranger) => text(stranger, "id"));
    },

    /**
     * IDs of peers that have been disconnected since before this, the longest first, without those of a group whose failures are
     * correlated now (`groupsOf`): a peer that cannot be reached at the moment has not left for good.
     */
    awaySince(before: Millis, now: Millis, limit: number): readonly PeerId[] {
      return sql
        .exec(
          `SELECT id FROM peers WHERE state = 'stale' AND state_since < ?1 AND NOT EXISTS (
             SELECT 1 FROM correlated_failures AS failed
             WHERE failed.correlated_until > ?2 AND failed.listed = (NOT ${IS_STRANGER})
               AND (failed.kind = 'network' AND failed.name = peers.network AND (peers.network <> '' OR peers.colo = '')
                 OR failed.kind = 'colo' AND failed.name = peers.colo AND peers.colo <> ''))
           ORDER BY state_since LIMIT ?3`,
          before,
          now,
          limit,
        )
        .map((row) => text(row, "id"));
    },

    /** Since when the peer that has been disconnected for longest has been; null when none is. */
    longestAway(): Millis | null {
      const row = sql.exec(`SELECT MIN(state_since) AS since FROM peers WHERE state = 'stale'`)[0];
      return numberOrNull(row as SqlRow, "since");
    },

    /**
     * Number of peers of one network or location that are connected or fell silent since then, and how many of them
     * are silent.
     */
    countSilent({ by, name, listed }: Group, since: Millis): Count {
      const isMember = `${by} = ?1 AND ${listed ? `NOT ${IS_STRANGER}` : IS_STRANGER}`;
      const row = sql.exec(
        `SELECT COUNT(*) AS members, COUNT(*) FILTER (WHERE silent_at >= ?2) AS silent FROM (
           SELECT silent_at FROM peers WHERE state IN ('active', 'suspect') AND ${isMember}
           UNION ALL SELECT silent_at FROM peers WHERE state = 'stale' AND state_since >= ?2 AND silent_at >= ?2 AND ${isMember})`,
        name,
        since,
      )[0] as SqlRow;
      return { members: number(row, "members"), silent: number(row, "silent") };
    },

    /**
     * Listed peers that are lost, the longest lost first, as far as the operator has not cordoned or drained them: in an open mesh
     * strangers come and go.
     */
    lost(limit: number): readonly (Pick<Peer, "id" | "name"> & { readonly lostAt: Millis })[] {
      return sql
        .exec(
          `SELECT id, name, lost_at FROM peers WHERE lost_at IS NOT NULL AND state IN ('suspect', 'stale')
             AND scheduling = 'open' AND NOT ${IS_STRANGER} ORDER BY lost_at, id LIMIT ?`,
          limit,
        )
        .map((row) => ({
          id: text(row, "id"),
          name: text(row, "name"),
          lostAt: number(row, "lost_at"),
        }));
    },

    /** The peers that the operator drains. */
    draining(): readonly Peer[] {
      kept.flush();
      return sql.exec(`SELECT * FROM peers WHERE drain_until IS NOT NULL`).map(readPeer);
    },
    /** When the first of the operator's drains ends at the latest; null when there is none. */
    nextDrainEnd(): Millis | null {
      const row = sql.exec(
        `SELECT MIN(drain_until) AS due FROM peers WHERE drain_until IS NOT NULL`,
      )[0];
      return numberOrNull(row as SqlRow, "due");
    },

    /** Every peer with an open session. */
    connected(): readonly Peer[] {
      kept.flush();
      return sql.exec(`SELECT * FROM peers WHERE state IN ('active', 'suspect')`).map(readPeer);
    },

    /** The same, with the fields that ranking needs. */
    ranked(): readonly Ranked[] {
      kept.flush();
      // A mesh has few different lists, and parsing one for each peer would take as long as everything else here.
      const lists = new Map<string, readonly string[]>();
      const list = (row: SqlRow, column: "capabilities" | "kinds"): readonly string[] => {
        const known = lists.get(text(row, column));
        if (known !== undefined) return known;
        const read = json<readonly string[]>(row, column);
        lists.set(text(row, column), read);
        return read;
      };
      return sql
        .exec(
          `SELECT id, role, state, scheduling, drain_until, leaving, capabilities, kinds, slots, earned_slots, prefetch, held, successes,
             failures, score
           FROM peers WHERE state IN ('active', 'suspect')`,
        )
        .map((row) => ({
          id: text(row, "id"),
          role: text(row, "role") as Role,
          state: text(row, "state") as PeerState,
          scheduling: readScheduling(row),
          capabilities: list(row, "capabilities"),
          kinds: list(row, "kinds"),
          slots: number(row, "slots"),
          earnedSlots: number(row, "earned_slots"),
          prefetch: flag(row, "prefetch"),
          held: number(row, "held"),
          successes: number(row, "successes"),
          failures: number(row, "failures"),
          score: number(row, "score"),
        }));
    },
  };
}
