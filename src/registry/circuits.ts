import type { Millis } from "../base/clock.ts";
import type { MeshEvent } from "../protocol/events.ts";
import type { PeerId } from "../protocol/ids.ts";
import { NEW_CIRCUIT, type Circuit } from "../tasks/circuit.ts";
import { minimum, number, numberOrNull, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";
import { peerAndKindOf as partsOf, peerKindKey as keyOf } from "./peer-kind-key.ts";
import { RestingCircuits, WHOLE_PEER, type RestingCircuit } from "./resting-circuits.ts";
import { WriteBehind } from "./write-behind.ts";

/** Number of kinds whose circuits are stored for one peer, and one for the whole peer. Further kinds are not watched. */
const CIRCUITS_OF_PEER_MAX = 65;

export interface StoredCircuit extends Circuit {
  readonly changedAt: Millis;
  /** Since when it is not closed; null while it is. */
  readonly openedAt: Millis | null;
}

/**
 * The circuits of peers, and of peers and kinds. They change with every failure, so they are written a little later, unless they
 * open or close; what is decided from them is decided from memory, at once.
 *
 * @param changed is told when a rest begins, ends or becomes shorter, because that is when peers are probed next
 * @param record keeps the event of a change
 */
export function circuitsTable(sql: Sql, changed: () => void, record: (event: MeshEvent) => void) {
  const kept = new WriteBehind<StoredCircuit>({
    read: (keys) =>
      sql
        .exec(
          `SELECT circuits.* FROM json_each(?) AS wanted JOIN circuits
           ON peer_id = wanted.value ->> 0 AND kind = wanted.value ->> 1`,
          JSON.stringify(keys.map(partsOf)),
        )
        .map((row) => [keyOf(text(row, "peer_id"), text(row, "kind")), readCircuit(row)]),
    write: (key, circuit) => writeCircuit(sql, partsOf(key), circuit),
  });
  const resting = new RestingCircuits(() => {
    const found = new Map<string, RestingCircuit>();
    for (const row of sql.exec(
      `SELECT peer_id, kind, rests_until, opened_at FROM circuits WHERE rests_until IS NOT NULL`,
    )) {
      const [peerId, kind] = [text(row, "peer_id"), text(row, "kind")];
      const [restsUntil, openedAt] = [number(row, "rests_until"), numberOrNull(row, "opened_at")];
      found.set(keyOf(peerId, kind), {
        peerId,
        kind,
        restsUntil,
        openedAt: openedAt ?? restsUntil,
      });
    }
    for (const [key, circuit] of kept.unwrittenValues()) note(found, key, circuit);
    return found.values();
  });

  function remove(peerId: PeerId): void {
    kept.flush();
    for (const kind of resting.kindsOf(peerId)) record(circuitEvent(peerId, kind, false));
    const rows = sql.exec(`DELETE FROM circuits WHERE peer_id = ? RETURNING kind`, peerId);
    for (const row of rows) kept.wrote(keyOf(peerId, text(row, "kind")), null);
    resting.forget();
  }

  return {
    kept,
    resting,
    remove,

    /** Reads the circuits of many peers at once. */
    load(peerIds: readonly PeerId[], kind: string): void {
      kept.load(peerIds.flatMap((id) => [keyOf(id, WHOLE_PEER), keyOf(id, kind)]));
    },

    /** The circuit, if anything is known about it. */
    known: (peerId: PeerId, kind: string): Circuit | null => kept.get(keyOf(peerId, kind)),

    get: (peerId: PeerId, kind: string): Circuit => kept.get(keyOf(peerId, kind)) ?? NEW_CIRCUIT,

    put(peerId: PeerId, kind: string, circuit: Circuit, now: Millis): void {
      const before = kept.get(keyOf(peerId, kind));
      const wasOpen = (before?.restsUntil ?? null) !== null;
      const isOpen = circuit.restsUntil !== null;
      const openedAt = isOpen ? ((wasOpen ? before?.openedAt : null) ?? now) : null;
      const stored = { ...circuit, changedAt: now, openedAt };
      if (wasOpen === isOpen) kept.put(keyOf(peerId, kind), stored);
      else {
        // An event is committed with its change.
        record(circuitEvent(peerId, kind, isOpen));
        writeCircuit(sql, [peerId, kind], stored);
        kept.wrote(keyOf(peerId, kind), stored);
      }
      resting.wrote({ peerId, kind, restsUntil: circuit.restsUntil, openedAt: openedAt ?? now });
      changed();
    },

    /** A peer's circuits that are not closed. */
    ofPeer(peerId: PeerId): readonly { readonly kind: string; readonly circuit: Circuit }[] {
      return resting
        .kindsOf(peerId)
        .map((kind) => ({ kind, circuit: kept.get(keyOf(peerId, kind)) ?? NEW_CIRCUIT }));
    },

    /** Moves the rows of a peer that rotated its key to its new ID. */
    move(from: PeerId, to: PeerId): void {
      kept.flush();
      const rows = sql.exec(`SELECT * FROM circuits WHERE peer_id = ?`, from);
      remove(from);
      for (const row of rows) {
        const [kind, circuit] = [text(row, "kind"), readCircuit(row)];
        kept.put(keyOf(to, kind), circuit);
        if (circuit.restsUntil !== null) record(circuitEvent(to, kind, true));
      }
      resting.forget();
    },

    /** The rows of a peer have been removed or written by another table's statements, because the peer changes its cell. This is no event. */
    changedCell(peerId: PeerId, kinds: readonly string[]): void {
      for (const kind of kinds) kept.forget(keyOf(peerId, kind));
      resting.forget();
      changed();
    },

    /** When the circuit changed last that has been closed for longest. */
    oldestClosed: (): Millis | null =>
      minimum(sql, `SELECT MIN(changed_at) AS at FROM circuits WHERE rests_until IS NULL`),

    /** Forgets circuits that are closed and have not changed since then. */
    prune(unchangedSince: Millis): void {
      kept.flush();
      const rows = sql.exec(
        `DELETE FROM circuits WHERE rests_until IS NULL AND changed_at < ? RETURNING peer_id, kind`,
        unchangedSince,
      );
      for (const row of rows) kept.wrote(keyOf(text(row, "peer_id"), text(row, "kind")), null);
    },
  };
}

const circuitEvent = (peer: PeerId, kind: string, isOpen: boolean): MeshEvent => ({
  type: isOpen ? "circuit.opened" : "circuit.closed",
  peer,
  kind: kind === WHOLE_PEER ? null : kind,
});

function note(
  found: Map<string, RestingCircuit>,
  key: string,
  circuit: StoredCircuit | null,
): void {
  const [peerId, kind] = partsOf(key);
  const restsUntil = circuit?.restsUntil ?? null;
  if (restsUntil === null) found.delete(key);
  else found.set(key, { peerId, kind, restsUntil, openedAt: circuit?.openedAt ?? restsUntil });
}

function writeCircuit(
  sql: Sql,
  [peerId, kind]: readonly [PeerId, string],
  circuit: StoredCircuit,
): void {
  sql.exec(
    `INSERT INTO circuits (peer_id, kind, evidence, failures, refusals, openings, rests_until, closed_at, reason,
       changed_at, opened_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?11, ?12
     WHERE EXISTS (SELECT 1 FROM circuits WHERE peer_id = ?1 AND kind = ?2)
       OR (SELECT COUNT(*) FROM circuits WHERE peer_id = ?1) < ?10
     ON CONFLICT (peer_id, kind) DO UPDATE SET evidence = excluded.evidence, failures = excluded.failures,
       refusals = excluded.refusals, openings = excluded.openings, rests_until = excluded.rests_until,
       closed_at = excluded.closed_at, reason = excluded.reason, changed_at = excluded.changed_at,
       opened_at = excluded.opened_at`,
    peerId,
    kind,
    circuit.evidence,
    circuit.failuresInRow,
    circuit.refusalsInRow,
    circuit.openings,
    circuit.restsUntil,
    circuit.closedAt,
    circuit.reason,
    CIRCUITS_OF_PEER_MAX,
    circuit.changedAt,
    circuit.openedAt,
  );
}

const readCircuit = (row: SqlRow): StoredCircuit => ({
  evidence: number(row, "evidence"),
  failuresInRow: number(row, "failures"),
  refusalsInRow: number(row, "refusals"),
  openings: number(row, "openings"),
  restsUntil: numberOrNull(row, "rests_until"),
  closedAt: number(row, "closed_at"),
  reason: textOrNull(row, "reason"),
  changedAt: number(row, "changed_at"),
  openedAt: numberOrNull(row, "opened_at"),
});
