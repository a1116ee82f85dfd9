import type { Millis } from "../base/clock.ts";
import { nextNumber } from "./after-restore.ts";
import { number, numberOrNull, text, textOrNull, type Sql, type SqlRow } from "./sql.ts";

/** Bytes of messages in one call. A single message may be larger. */
const CALL_BYTES_MAX = 2 * 1_024 * 1_024;
/** Messages in one call. */
const CALL_MESSAGES_MAX = 256;

/** A message with its number, as JSON. */
export interface StoredMessage {
  readonly seq: number;
  readonly body: string;
}

/** Messages that wait for one cell. */
export interface WaitingMessages {
  readonly cell: number;
  readonly messages: number;
  /** When the oldest was stored; null if an earlier version stored all of them. */
  readonly oldest: Millis | null;
  /** The type of the first. The others wait until it is taken. */
  readonly first: string;
}

/**
 * Messages for other cells that were not taken yet, and how far the messages of each other cell have arrived: each is taken once, in its
 * order, however often it is sent.
 *
 * @param restoredAt when the mesh was restored: numbers of the time between backup and restore are not given out again
 */
export function cellMessagesTable(sql: Sql, restoredAt: Millis | null) {
  const link = (cell: number) =>
    sql.exec(`SELECT sent, received FROM cell_links WHERE cell = ?`, cell)[0];
  const typeOf = (cell: number, seq: number): string => {
    const [row] = sql.exec(
      `SELECT json_extract(body, '$.type') AS type FROM cell_messages WHERE cell = ? AND seq = ?`,
      cell,
      seq,
    );
    return textOrNull(row as SqlRow, "type") ?? "";
  };
  return {
    /** Adds a message for a cell, and returns its number. */
    add(cell: number, body: string, at: Millis): number {
      const row = link(cell);
      const seq = nextNumber(row === undefined ? 0 : number(row, "sent"), restoredAt);
      sql.exec(
        `INSERT INTO cell_links (cell, sent, received) VALUES (?1, ?2, 0) ON CONFLICT (cell) DO UPDATE SET sent = ?2`,
        cell,
        seq,
      );
      sql.exec(
        `INSERT INTO cell_messages (cell, seq, body, at) VALUES (?, ?, ?, ?)`,
        cell,
        seq,
        body,
        at,
      );
      return seq;
    },
    /** The next messages for a cell, at most `limit`. */
    next(cell: number, limit = CALL_MESSAGES_MAX): readonly StoredMessage[] {
      const lengths = sql.exec(
        `SELECT octet_length(body) AS bytes FROM cell_messages WHERE cell = ? ORDER BY seq LIMIT ?`,
        cell,
        Math.min(limit, CALL_MESSAGES_MAX),
      );
      let [bytes, count] = [0, 0];
      for (const row of lengths) {
        bytes += number(row, "bytes");
        if (count > 0 && bytes > CALL_BYTES_MAX) break;
        count++;
      }
      return sql
        .exec(
          `SELECT seq, body FROM cell_messages WHERE cell = ? ORDER BY seq LIMIT ?`,
          cell,
          count,
        )
        .map((row) => ({ seq: number(row, "seq"), body: text(row, "body") }));
    },
    /** The cell has taken the messages up to this one. */
    taken(cell: number, upTo: number): void {
      sql.exec(`DELETE FROM cell_messages WHERE cell = ? AND seq <= ?`, cell, upTo);
    },
    /** Whether a message waits for a cell; with a number, whether that one or an earlier one does. */
    waits(cell: number, upTo = Number.MAX_SAFE_INTEGER): boolean {
      return (
        sql.exec(`SELECT 1 FROM cell_messages WHERE cell = ? AND seq <= ? LIMIT 1`, cell, upTo)
          .length > 0
      );
    },
    /** The cells for which messages wait, with the oldest time and the first message of each. */
    waiting(): readonly WaitingMessages[] {
      return sql
        .exec(
          `SELECT cell, COUNT(*) AS messages, MIN(at) AS oldest, MIN(seq) AS first FROM cell_messages GROUP BY cell`,
        )
        .map((row) => ({
          cell: number(row, "cell"),
          messages: number(row, "messages"),
          oldest: numberOrNull(row, "oldest"),
          first: typeOf(number(row, "cell"), number(row, "first")),
        }));
    },
    /** How many messages wait for a cell. */
    count(cell: number): number {
      const row = sql.exec(`SELECT COUNT(*) AS count FROM cell_messages WHERE cell = ?`, cell)[0];
      return row === undefined ? 0 : number(row, "count");
    },
    /** The number of the last message of another cell that was taken; 0 if none was. */
    received(from: number): number {
      const row = link(from);
      return row === undefined ? 0 : number(row, "received");
    },
    setReceived(from: number, seq: number): void {
      sql.exec(
        `INSERT INTO cell_links (cell, sent, received) VALUES (?1, 0, ?2) ON CONFLICT (cell) DO UPDATE SET received = ?2`,
        from,
        seq,
      );
    },
  };
}
