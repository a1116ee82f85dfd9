import type { Millis } from "../base/clock.ts";
import { siteOf, type Receiver, type ReceiverHealth, type TakenPlaces } from "../webhooks/index.ts";
import { minimum, number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/** The pending callbacks of one owner to one receiver. */
export interface CallbackQueue {
  readonly owner: string;
  readonly origin: string;
}

/** Receivers that are remembered; of more the one that was written first is forgotten, and counts as unknown again. */
const RECEIVERS_MAX = 10_000;

/** In each: the owners that have a queue of this health, found by one step of the index each. */
const OWNERS = `WITH RECURSIVE owners (owner) AS (
    SELECT MIN(owner) FROM callback_queues WHERE health = ?1
    UNION ALL
    SELECT (SELECT MIN(owner) FROM callback_queues WHERE health = ?1 AND owner > owners.owner)
      FROM owners WHERE owners.owner IS NOT NULL
  )`;

/**
 * Pending callbacks by owner and receiver, so that a callback is chosen without reading those that wait for another receiver. A queue
 * is ready when its first callback is due, and not before a time: that of the probe of a suspect, that which a receiver asked
 * for, and that at which it was served last, so that queues of one owner take turns.
 */
export function callbackQueuesTable(sql: Sql) {
  const receiver = (origin: string): Receiver | null => {
    const [row] = sql.exec(`SELECT * FROM callback_receivers WHERE origin = ?`, origin);
    return row === undefined ? null : readReceiver(row);
  };
  return {
    receiver,
    /** A callback of this queue was written. */
    changed({ owner, origin }: CallbackQueue): void {
      const due = minimum(
        sql,
        `SELECT MIN(due_at) AS at FROM callbacks WHERE owner = ? AND origin = ? AND due_at IS NOT NULL`,
        owner,
        origin,
      );
      if (due === null) {
        sql.exec(`DELETE FROM callback_queues WHERE owner = ? AND origin = ?`, owner, origin);
        return;
      }
      const [known] = sql.exec(
        `UPDATE callback_queues SET due_at = ?1, ready_at = MAX(?1, not_before) WHERE owner = ?2 AND origin = ?3 RETURNING 1`,
        due,
        owner,
        origin,
      );
      if (known !== undefined) return;
      const { health = "unknown", resumeAt = null } = receiver(origin) ?? {};
      sql.exec(
        `INSERT INTO callback_queues (owner, origin, site, health, due_at, not_before, ready_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, MAX(?5, ?6))`,
        owner,
        origin,
        siteOf(origin),
        health,
        due,
        resumeAt ?? 0,
      );
    },
    /** The next ready queue to a receiver of this health. The owner that comes after `afterOwner` is first. */
    next(
      health: ReceiverHealth,
      now: Millis,
      taken: TakenPlaces,
      afterOwner: string,
    ): CallbackQueue | null {
      const [row] = sql.exec(
        `SELECT owner, origin FROM (
           ${OWNERS}
           SELECT owner, (
             SELECT origin FROM callback_queues AS queue
              WHERE queue.health = ?1 AND queue.owner = owners.owner AND ready_at <= ?2
                AND origin NOT IN (SELECT value FROM json_each(?4)) AND site NOT IN (SELECT value FROM json_each(?5))
              ORDER BY ready_at LIMIT 1
           ) AS origin
           FROM owners WHERE owner IS NOT NULL AND owner NOT IN (SELECT value FROM json_each(?3))
         ) WHERE origin IS NOT NULL ORDER BY owner <= ?6, owner LIMIT 1`,
        health,
        now,
        JSON.stringify(taken.owners),
        JSON.stringify(taken.origins),
        JSON.stringify(taken.sites),
        afterOwner,
      );
      return row === undefined ? null : { owner: text(row, "owner"), origin: text(row, "origin") };
    },
    /** The queue is not ready before this time. */
    hold({ owner, origin }: CallbackQueue, until: Millis): void {
      sql.exec(
        `UPDATE callback_queues SET not_before = MAX(not_before, ?1), ready_at = MAX(ready_at, ?1) WHERE owner = ?2 AND origin = ?3`,
        until,
        owner,
        origin,
      );
    },
    /** What is known of a receiver changes, and with it all its queues. A suspect that has answered lets them go on at once. */
    learned(after: Receiver, before: Receiver | null): void {
      if (after === before) return;
      if (before === null) forgetOldest(sql);
      const { origin, health, failures, resumeAt, at } = after;
      sql.exec(
        `INSERT OR REPLACE INTO callback_receivers (origin, health, failures, resume_at, at) VALUES (?, ?, ?, ?, ?)`,
        origin,
        health,
        failures,
        resumeAt,
        at,
      );
      if (resumeAt === null && before?.health === "healthy") return;
      sql.exec(
        `UPDATE callback_queues SET health = ?2, not_before = ?3, ready_at = MAX(due_at, ?3) WHERE origin = ?1`,
        origin,
        health,
        resumeAt ?? 0,
      );
    },
    nextReady: (): Millis | null => minimum(sql, `SELECT MIN(ready_at) AS at FROM callback_queues`),
    counts: (): { readonly queues: number; readonly receivers: number } => {
      const [row] = sql.exec(
        `SELECT (SELECT COUNT(*) FROM callback_queues) AS queues, (SELECT COUNT(*) FROM callback_receivers) AS receivers`,
      );
      return {
        queues: number(row as SqlRow, "queues"),
        receivers: number(row as SqlRow, "receivers"),
      };
    },
  };
}

function forgetOldest(sql: Sql): void {
  const [row] = sql.exec(`SELECT COUNT(*) AS count FROM callback_receivers`);
  if (row === undefined || number(row, "count") < RECEIVERS_MAX) return;
  sql.exec(
    `DELETE FROM callback_receivers WHERE origin = (SELECT origin FROM callback_receivers ORDER BY at LIMIT 1)`,
  );
}

const readReceiver = (row: SqlRow): Receiver => ({
  origin: text(row, "origin"),
  health: text(row, "health") as Receiver["health"],
  failures: number(row, "failures"),
  resumeAt: numberOrNull(row, "resume_at"),
  at: number(row, "at"),
});
