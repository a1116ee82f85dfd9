import { canonicalJson } from "../base/canonical-json.ts";
import type { Millis } from "../base/clock.ts";
import type { JsonObject } from "../base/json.ts";
import type { PointerFilter } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import { ListedCounts } from "./listed-counts.ts";
import { insertRow, json, number, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";

/**
 * `staged`: stored under a new epoch, and listed once all peers of the previous epoch are. `listed`: published.
 * `removed`: was published; kept so that followers learn of the removal.
 */
export type PointerState = "staged" | "listed" | "removed";

/** A pointer, with its peer, which is never published. */
export interface PublishedPointer {
  readonly id: string;
  readonly epoch: number;
  readonly peerId: PeerId;
  readonly state: PointerState;
  /** Sequence number of the last change; 0 while staged. */
  readonly seq: number;
  readonly blobId: string;
  /** Hash of the content of the blob's record. An unchanged record is not stored again. */
  readonly fingerprint: string;
  /** The peer's public metadata before it is coarsened. */
  readonly details: JsonObject;
  /** The public metadata. */
  readonly metadata: JsonObject;
  readonly expiresAt: Millis;
  /** Null until the first request for it. */
  readonly signature: string | null;
}

export interface PointerPage {
  readonly now: Millis;
  readonly filter: PointerFilter;
  readonly limit: number;
}

/** The conditions of `mayMatch` (discovery/metadata.ts), in SQL: ?1 role, ?2 capability, ?3 region, ?4 score. */
const MAY_MATCH = `
  (?1 IS NULL OR COALESCE(json_extract(metadata, '$.role'), ?1) = ?1) AND
  (?2 IS NULL OR json_extract(metadata, '$.capabilities') IS NULL OR
    EXISTS (SELECT 1 FROM json_each(metadata, '$.capabilities') WHERE value = ?2)) AND
  (?3 IS NULL OR COALESCE(json_extract(metadata, '$.region'), ?3) = ?3) AND
  (?4 IS NULL OR COALESCE(json_extract(metadata, '$.score') + 0.1, ?4 + 1) > ?4)`;

const wanted = ({ role, capability, region, min_score: minScore }: PointerFilter) =>
  [role ?? null, capability ?? null, region ?? null, minScore ?? null] as const;

/**
 * Pointers that are read for each pointer of a sample, because some peers are not active and the asking peer is left
 * out.
 */
const LOOKS = 4;

export function pointersTable(sql: Sql) {
  const counts = new ListedCounts();
  /** IDs after a position, of active peers except one. */
  const near = (place: string, looks: number, now: Millis, except: PeerId): readonly string[] =>
    sql
      .exec(
        `SELECT near.id FROM
           (SELECT id, peer_id FROM pointers WHERE id > ? AND expires_at > ? AND state = 'listed' ORDER BY id LIMIT ?) AS near
         WHERE near.peer_id <> ? AND (EXISTS (SELECT 1 FROM peers WHERE id = near.peer_id AND state = 'active')
           OR EXISTS (SELECT 1 FROM remote_peers WHERE peer_id = near.peer_id AND record IS NOT NULL))
         ORDER BY near.id`,
        place,
        now,
        looks,
        except,
      )
      .map((row) => text(row, "id"));

  const one = (query: string, ...bindings: (string | number)[]): PublishedPointer | null => {
    const row = sql.exec(query, ...bindings)[0];
    return row === undefined ? null : readPointer(row);
  };
  /** The mesh's sequence of changes. Every change takes the next number; numbers are never reused. */
  const nextSeq = (): number =>
    number(
      sql.exec(
        `INSERT INTO settings (key, value) VALUES ('discovery_seq', 1)
         ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1
         RETURNING CAST(value AS INTEGER) AS seq`,
      )[0] as SqlRow,
      "seq",
    );
  return {
    nextSeq,
    counts,
    /** How many pointers are listed under each epoch. Counted again only after a pointer was written: a mesh is listed often. */
    listedByEpoch(): ReadonlyMap<number, number> {
      return counts.read(() => {
        const rows = sql.exec(
          `SELECT epoch, COUNT(*) AS listed FROM pointers WHERE state = 'listed' GROUP BY epoch`,
        );
        return new Map(rows.map((row) => [number(row, "epoch"), number(row, "listed")]));
      });
    },
    seq(): number {
      const row = sql.exec(
        `SELECT CAST(value AS INTEGER) AS seq FROM settings WHERE key = 'discovery_seq'`,
      )[0];
      return row === undefined ? 0 : number(row, "seq");
    },
    get: (id: string) => one(`SELECT * FROM pointers WHERE id = ?`, id),
    find: (id: string, now: Millis) =>
      one(`SELECT * FROM pointers WHERE id = ? AND state = 'listed' AND expires_at > ?`, id, now),
    ofPeer(peerId: PeerId): readonly PublishedPointer[] {
      return sql
        .exec(`SELECT * FROM pointers WHERE peer_id = ? ORDER BY epoch`, peerId)
        .map(readPointer);
    },
    /**
     * Listed pointers after this ID, in the order of their IDs. IDs are pseudo-random, so the order does not reveal
     * when a peer joined.
     */
    list(page: PointerPage, after: string): readonly PublishedPointer[] {
      return sql
        .exec(
          `SELECT * FROM pointers WHERE ${MAY_MATCH} AND state = 'listed' AND expires_at > ?5 AND id > ?6
           ORDER BY id LIMIT ?7`,
          ...wanted(page.filter),
          page.now,
          after,
          page.limit,
        )
        .map(readPointer);
    },
    /** Changes after this number, in their order. `matches` says whether a listed pointer matches the filter. */
    changes(
      page: PointerPage,
      since: number,
    ): readonly (PublishedPointer & { readonly matches: boolean })[] {
      return sql
        .exec(
          `SELECT *, (${MAY_MATCH}) AS matches FROM pointers
           WHERE seq > ?5 AND state <> 'staged' AND expires_at > ?6 ORDER BY seq LIMIT ?7`,
          ...wanted(page.filter),
          since,
          page.now,
          page.limit,
        )
        .map((row) => ({ ...readPointer(row), matches: number(row, "matches") === 1 }));
    },
    /**
     * A random sample of the IDs of active peers' pointers, except the asking peer's: the next ID after each random
     * position, filled up from the first. A few look-ups by key, however many pointers there are.
     */
    sample(places: readonly string[], now: Millis, asker: PeerId): readonly string[] {
      const found = new Set(places.flatMap((place) => near(place, LOOKS, now, asker).slice(0, 1)));
      for (const start of [places[0] ?? "", ""]) {
        if (found.size >= places.length) break;
        for (const id of near(start, LOOKS * places.length, now, asker)) found.add(id);
      }
      return [...found].slice(0, places.length);
    },
    put(pointer: PublishedPointer): void {
      counts.forget();
      const columns = {
        id: pointer.id,
        epoch: pointer.epoch,
        peer_id: pointer.peerId,
        state: pointer.state,
        seq: pointer.seq,
        blob_id: pointer.blobId,
        fingerprint: pointer.fingerprint,
        details: canonicalJson(pointer.details),
        metadata: canonicalJson(pointer.metadata),
        expires_at: pointer.expiresAt,
        signature: pointer.signature,
      };
      const updates = Object.keys(columns).map((name) => `${name} = excluded.${name}`);
      insertRow(sql, "pointers", columns, `ON CONFLICT (id) DO UPDATE SET ${updates.join(", ")}`);
    },
    setSignature(id: string, signature: string): void {
      sql.exec(`UPDATE pointers SET signature = ? WHERE id = ?`, signature, id);
    },
    remove(id: string): void {
      counts.forget();
      sql.exec(`DELETE FROM pointers WHERE id = ?`, id);
    },
    /** The listed pointers with exactly this metadata. */
    showing(metadata: JsonObject): readonly PublishedPointer[] {
      return sql
        .exec(
          `SELECT * FROM pointers WHERE state = 'listed' AND metadata = ?`,
          canonicalJson(metadata),
        )
        .map(readPointer);
    },
    listed(epoch: number): readonly PublishedPointer[] {
      return sql
        .exec(`SELECT * FROM pointers WHERE state = 'listed' AND epoch = ? ORDER BY id`, epoch)
        .map(readPointer);
    },
    /** Whether a peer that is listed under an earlier epoch has nothing stored under this one yet. */
    awaitsEpoch(epoch: number): boolean {
      return (
        sql.exec(
          `SELECT 1 FROM pointers AS old WHERE epoch < ?1 AND state = 'listed' AND NOT EXISTS
             (SELECT 1 FROM pointers WHERE peer_id = old.peer_id AND epoch = ?1 AND state <> 'removed') LIMIT 1`,
          epoch,
        ).length > 0
      );
    },
    /** Peers that are listed under any epoch. */
    listedPeers(): readonly PeerId[] {
      return sql
        .exec(`SELECT DISTINCT peer_id FROM pointers WHERE state = 'listed'`)
        .map((row) => text(row, "peer_id"));
    },
    anyListed(): boolean {
      return sql.exec(`SELECT 1 FROM pointers WHERE state = 'listed' LIMIT 1`).length > 0;
    },
    /**
     * Lists all staged pointers of an epoch at once, in the order of their IDs, so that their sequence numbers reveal
     * no order.
     */
    listStaged(epoch: number): void {
      counts.forget();
      for (const row of sql.exec(
        `SELECT id FROM pointers WHERE epoch = ? AND state = 'staged' ORDER BY id`,
        epoch,
      ))
        sql.exec(
          `UPDATE pointers SET state = 'listed', seq = ?, signature = NULL WHERE id = ?`,
          nextSeq(),
          text(row, "id"),
        );
    },
    removeBefore(epoch: number): void {
      counts.forget();
      sql.exec(`DELETE FROM pointers WHERE epoch < ?`, epoch);
    },
  };
}

export const readPointer = (row: SqlRow): PublishedPointer => ({
  id: text(row, "id"),
  epoch: number(row, "epoch"),
  peerId: text(row, "peer_id"),
  state: text(row, "state") as PointerState,
  seq: number(row, "seq"),
  blobId: text(row, "blob_id"),
  fingerprint: text(row, "fingerprint"),
  details: json(row, "details"),
  metadata: json(row, "metadata"),
  expiresAt: number(row, "expires_at"),
  signature: textOrNull(row, "signature"),
});
