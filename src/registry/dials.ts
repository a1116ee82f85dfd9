import type { Millis } from "../base/clock.ts";
import type { Dial } from "../peers/dial.ts";
import type { DialState } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import {
  insertRow,
  number,
  numberOrNull,
  text,
  textOrNull,
  type Sql,
  type SqlRow,
  type SqlValue,
} from "./sql.ts";

/** Addresses of peers that listen, which the mesh dials. */
export function dialsTable(sql: Sql) {
  const select = (rest: string, ...bindings: SqlValue[]): readonly Dial[] =>
    sql.exec(`SELECT * FROM dials ${rest}`, ...bindings).map(readDial);
  return {
    get: (id: string): Dial | null => select(`WHERE id = ?`, id)[0] ?? null,
    ofUrl: (url: string): Dial | null => select(`WHERE url = ?`, url)[0] ?? null,
    ofPeer: (peerId: PeerId): readonly Dial[] =>
      select(`WHERE peer_id = ? ORDER BY added_at, id`, peerId),
    list: (): readonly Dial[] => select(`ORDER BY added_at, id`),
    barred: (): readonly Dial[] => select(`WHERE state = 'barred'`),

    put(dial: Dial): void {
      const columns = writeDial(dial);
      const updates = Object.keys(columns).map((name) => `${name} = excluded.${name}`);
      insertRow(sql, "dials", columns, `ON CONFLICT (id) DO UPDATE SET ${updates.join(", ")}`);
    },
    remove(id: string): void {
      sql.exec(`DELETE FROM dials WHERE id = ?`, id);
    },
    count(): number {
      return number(sql.exec(`SELECT COUNT(*) AS count FROM dials`)[0] as SqlRow, "count");
    },

    /** Waiting addresses that are due, and attempts whose time has run out. */
    due: (now: Millis): readonly Dial[] =>
      select(`WHERE state IN ('waiting', 'dialling') AND due_at <= ? ORDER BY due_at, id`, now),
    /** The first addresses of the queue, those that have been due for longest first. */
    queued: (limit: number): readonly Dial[] =>
      select(`WHERE state = 'queued' ORDER BY due_at, id LIMIT ?`, limit),
    /** Addresses that have been connected since before this, the longest first. */
    connectedBefore: (before: Millis): readonly Dial[] =>
      select(`WHERE state = 'connected' AND since <= ? ORDER BY since, id`, before),
    /** Number of attempts in flight, and of dialed sessions. */
    taken(): { readonly dialling: number; readonly connected: number } {
      const row = sql.exec(
        `SELECT COUNT(*) FILTER (WHERE state = 'dialling') AS dialling, COUNT(*) FILTER (WHERE state = 'connected') AS connected
         FROM dials WHERE state IN ('dialling', 'connected')`,
      )[0] as SqlRow;
      return { dialling: number(row, "dialling"), connected: number(row, "connected") };
    },

    /** When the next waiting address is due, or the next attempt is given up; null when there is neither. */
    nextDue(): Millis | null {
      const row = sql.exec(
        `SELECT MIN(due_at) AS due FROM dials WHERE state IN ('waiting', 'dialling')`,
      )[0] as SqlRow;
      return numberOrNull(row, "due");
    },
    anyQueued(): boolean {
      return sql.exec(`SELECT 1 AS one FROM dials WHERE state = 'queued' LIMIT 1`).length > 0;
    },
  };
}

const readDial = (row: SqlRow): Dial => ({
  id: text(row, "id"),
  url: text(row, "url"),
  name: text(row, "name"),
  publicKey: textOrNull(row, "public_key"),
  peerId: textOrNull(row, "peer_id"),
  addedAt: number(row, "added_at"),
  addedBy: text(row, "added_by"),
  state: text(row, "state") as DialState,
  since: number(row, "since"),
  dueAt: numberOrNull(row, "due_at"),
  attempts: number(row, "attempts"),
  failures: number(row, "failures"),
  lastError: textOrNull(row, "last_error"),
});

const writeDial = (dial: Dial): Record<string, SqlValue> => ({
  id: dial.id,
  url: dial.url,
  name: dial.name,
  public_key: dial.publicKey,
  peer_id: dial.peerId,
  added_at: dial.addedAt,
  added_by: dial.addedBy,
  state: dial.state,
  since: dial.since,
  due_at: dial.dueAt,
  attempts: dial.attempts,
  failures: dial.failures,
  last_error: dial.lastError,
});
