import type { Millis } from "../base/clock.ts";
import type { EndFault, SessionRef } from "../peers/session-orders.ts";
import type { PeerId } from "../protocol/ids.ts";
import { number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/**
 * Work outside the database. An entry is written in the transaction that makes the work necessary, and the work is
 * repeated until it succeeds.
 */
export type OutboxEntry =
  /** Seal a peer's record, store it, and publish a pointer to it. */
  | { readonly kind: "publish"; readonly peerId: PeerId }
  /** Delete a sealed record from the store. */
  | { readonly kind: "delete_blob"; readonly blobId: string }
  /** Delete a large task result from the store. */
  | { readonly kind: "delete_result"; readonly blobId: string }
  /** End a session whose peer may no longer be connected. */
  | { readonly kind: "end_session"; readonly to: SessionRef; readonly fault: EndFault }
  /** Ping a peer that did not react to an offer. */
  | { readonly kind: "probe"; readonly to: SessionRef }
  /** Send another cell the messages that wait for it. */
  | { readonly kind: "send_to_cell"; readonly cell: number }
  /** Fetch a page of the peers of another cell that belong to this one. */
  | { readonly kind: "pull_peers"; readonly cell: number }
  /** Copy what is published to the store of the replicas. */
  | { readonly kind: "replicate" }
  /** Look whether the store of the replicas still holds the directory that was written last. */
  | { readonly kind: "check_copy" }
  /** Delete a document from the store of the replicas. */
  | { readonly kind: "drop_copy"; readonly key: string };

export type OutboxKind = OutboxEntry["kind"];

/** Work on the mesh's own store and sessions. */
export const OWN_KINDS = [
  "publish",
  "delete_blob",
  "delete_result",
  "end_session",
  "probe",
] as const satisfies readonly OutboxKind[];
/** Calls of other cells. A call that hangs delays no other one. */
export const CELL_KINDS = ["send_to_cell", "pull_peers"] as const satisfies readonly OutboxKind[];
/** Work on the store of the replicas, which may be slow or down without delaying anything else. */
export const COPY_KINDS = [
  "replicate",
  "check_copy",
  "drop_copy",
] as const satisfies readonly OutboxKind[];

export interface OutboxItem {
  readonly entry: OutboxEntry;
  readonly dueAt: Millis;
  /** How often the work has failed since the entry was added. */
  readonly failures: number;
}

export function outboxTable(sql: Sql) {
  return {
    /** Adds an entry. An equal entry gets the new due time, and its failures are forgotten. */
    add(entry: OutboxEntry, dueAt: Millis): void {
      sql.exec(
        `INSERT INTO outbox (kind, subject, peer_id, due_at, failures) VALUES (?, ?, ?, ?, 0)
         ON CONFLICT (kind, subject) DO UPDATE SET due_at = excluded.due_at, failures = 0`,
        entry.kind,
        subjectOf(entry),
        peerOf(entry),
        dueAt,
      );
    },
    /** Adds an entry. An equal entry keeps its due time if that is earlier. */
    addNoLater(entry: OutboxEntry, dueAt: Millis): void {
      sql.exec(
        `INSERT INTO outbox (kind, subject, peer_id, due_at, failures) VALUES (?, ?, ?, ?, 0)
         ON CONFLICT (kind, subject) DO UPDATE SET due_at = MIN(due_at, excluded.due_at)`,
        entry.kind,
        subjectOf(entry),
        peerOf(entry),
        dueAt,
      );
    },
    due(
      now: Millis,
      limit: number,
      kinds: readonly OutboxKind[] = [...OWN_KINDS, ...CELL_KINDS, ...COPY_KINDS],
    ): readonly OutboxItem[] {
      // `+kind` keeps SQLite from using the index of kinds. By that it would read all entries of these kinds, and most are due later.
      return sql
        .exec(
          `SELECT * FROM outbox WHERE due_at <= ? AND +kind IN (SELECT value FROM json_each(?))
           ORDER BY due_at, seq LIMIT ?`,
          now,
          JSON.stringify(kinds),
          limit,
        )
        .map(readItem);
    },
    /** Sets the due time, and counts no failure. */
    defer(entry: OutboxEntry, dueAt: Millis): void {
      sql.exec(
        `UPDATE outbox SET due_at = ? WHERE kind = ? AND subject = ?`,
        dueAt,
        entry.kind,
        subjectOf(entry),
      );
    },
    /** Sets the due time after a failure. */
    retry(entry: OutboxEntry, dueAt: Millis): void {
      sql.exec(
        `UPDATE outbox SET due_at = ?, failures = failures + 1 WHERE kind = ? AND subject = ?`,
        dueAt,
        entry.kind,
        subjectOf(entry),
      );
    },
    remove(entry: OutboxEntry): void {
      sql.exec(`DELETE FROM outbox WHERE kind = ? AND subject = ?`, entry.kind, subjectOf(entry));
    },
    /** When an entry is due; null when the outbox does not have it. */
    dueAt(entry: OutboxEntry): Millis | null {
      const row = sql.exec(
        `SELECT due_at FROM outbox WHERE kind = ? AND subject = ?`,
        entry.kind,
        subjectOf(entry),
      )[0];
      return row === undefined ? null : number(row, "due_at");
    },
    /** Whether an entry is due later and was never tried: an attempt that failed may have done the work nevertheless. */
    isUntried(entry: OutboxEntry, now: Millis): boolean {
      return (
        sql.exec(
          `SELECT 1 FROM outbox WHERE kind = ? AND subject = ? AND due_at > ? AND failures = 0`,
          entry.kind,
          subjectOf(entry),
          now,
        ).length > 0
      );
    },
    removeAll(kinds: readonly OutboxKind[]): void {
      for (const kind of kinds) sql.exec(`DELETE FROM outbox WHERE kind = ?`, kind);
    },
    /** Whether any entry of this kind is due by now. */
    isDue(kind: OutboxKind, now: Millis): boolean {
      return (
        sql.exec(`SELECT 1 FROM outbox WHERE due_at <= ? AND kind = ? LIMIT 1`, now, kind).length >
        0
      );
    },
    /** Sessions of a peer that were told to end and have not confirmed it. */
    unconfirmedEnds(peerId: PeerId): readonly SessionRef[] {
      return this.unconfirmedEndOrders(peerId).map(({ to }) => to);
    },
    /** The same, with what each session is told. */
    unconfirmedEndOrders(
      peerId: PeerId,
    ): readonly Pick<Extract<OutboxEntry, { kind: "end_session" }>, "to" | "fault">[] {
      return sql
        .exec(`SELECT * FROM outbox WHERE kind = 'end_session' AND peer_id = ?`, peerId)
        .map((row) => readItem(row).entry)
        .flatMap((entry) =>
          entry.kind === "end_session" ? [{ to: entry.to, fault: entry.fault }] : [],
        );
    },
    /** How many entries of each kind there are, and how many of them have failed at least once. */
    counts(): readonly { readonly kind: OutboxKind; entries: number; failing: number }[] {
      return sql
        .exec(
          `SELECT kind, COUNT(*) AS entries, SUM(failures > 0) AS failing FROM outbox GROUP BY kind`,
        )
        .map((row) => ({
          kind: text(row, "kind") as OutboxKind,
          entries: number(row, "entries"),
          failing: number(row, "failing"),
        }));
    },
    nextDue(): Millis | null {
      return numberOrNull(sql.exec(`SELECT MIN(due_at) AS due FROM outbox`)[0] as SqlRow, "due");
    },
  };
}

/** The subject of `replicate` and `check_copy`: there is one directory. */
const DIRECTORY = "directory";

/** What tells entries of one kind apart. The only place that writes subjects; `entryOf` is the only one that reads them. */
function subjectOf(entry: OutboxEntry): string {
  switch (entry.kind) {
    case "publish":
      return entry.peerId;
    case "delete_blob":
    case "delete_result":
      return entry.blobId;
    case "end_session": {
      const { to, fault } = entry;
      return JSON.stringify([to.peerId, to.session, to.epoch, fault.code, fault.detail]);
    }
    case "probe":
      return JSON.stringify([entry.to.peerId, entry.to.session, entry.to.epoch]);
    case "replicate":
    case "check_copy":
      return DIRECTORY;
    case "drop_copy":
      return entry.key;
    case "send_to_cell":
    case "pull_peers":
      return String(entry.cell);
    default:
      return entry satisfies never;
  }
}

/** The peer that an entry concerns, by which entries are found. */
function peerOf(entry: OutboxEntry): PeerId | null {
  if (entry.kind === "publish") return entry.peerId;
  return entry.kind === "end_session" || entry.kind === "probe" ? entry.to.peerId : null;
}

function entryOf(kind: OutboxKind, subject: string): OutboxEntry {
  switch (kind) {
    case "publish":
      return { kind, peerId: subject };
    case "delete_blob":
    case "delete_result":
      return { kind, blobId: subject };
    case "end_session": {
      const [peerId, session, epoch, code, detail] = JSON.parse(subject) as EndSubject;
      return { kind, to: { peerId, session, epoch }, fault: { code, detail } };
    }
    case "probe": {
      const [peerId, session, epoch] = JSON.parse(subject) as ProbeSubject;
      return { kind, to: { peerId, session, epoch } };
    }
    case "replicate":
    case "check_copy":
      return { kind };
    case "drop_copy":
      return { kind, key: subject };
    case "send_to_cell":
    case "pull_peers":
      return { kind, cell: Number(subject) };
    default:
      return kind satisfies never;
  }
}

type ProbeSubject = readonly [peerId: string, session: string, epoch: number];
type EndSubject = readonly [...ProbeSubject, code: EndFault["code"], detail: string];

const readItem = (row: SqlRow): OutboxItem => ({
  entry: entryOf(text(row, "kind") as OutboxKind, text(row, "subject")),
  dueAt: number(row, "due_at"),
  failures: number(row, "failures"),
});
