import { MINUTE, type Millis } from "../base/clock.ts";
import { setSetting } from "./setting-row.ts";
import { insertRow, number, type Sql, type SqlRow } from "./sql.ts";

/**
 * A restored mesh has gone back in time: peers, readers and other systems may hold numbers that it gave out after the backup was
 * made. Every number that only grows continues at the time of the restore, in milliseconds: that is greater than any that was
 * given out before it, because each of them grows by one at a time, and none a thousand times a second. A second restore of the
 * same backup is later, so it continues above the first one.
 */

/** The setting that `muster restore` writes; its value is 1. The coordinator replaces it at its first wake. */
const PENDING = "restore_pending";
/** The setting with the time of the last restore. */
const RESTORED_AT = "restored_at";

/** For how long peers that held tasks when the backup was made may take to reconnect before the tasks count as interrupted. */
export const RETURN_GRACE: Millis = 2 * MINUTE;

/** The number after `last`, or after the restore: attempts, sessions and epochs of the time between may have the numbers below. */
export const nextNumber = (last: number, restoredAt: Millis | null): number =>
  Math.max(last, restoredAt ?? 0) + 1;

/** When the mesh was restored last; null if it never was. */
export function readRestoredAt(sql: Sql): Millis | null {
  const row = sql.exec(
    `SELECT CAST(value AS INTEGER) AS at FROM settings WHERE key = '${RESTORED_AT}'`,
  )[0];
  return row === undefined ? null : number(row, "at");
}

/** Marks a database as restored. What follows from that happens when a coordinator opens it. */
export const markRestored = (sql: Sql): void => setSetting(sql, PENDING, "1");

/** The settings that differ between a mesh and its backup. */
export const IS_RESTORE_MARK = `key = '${PENDING}'`;

/**
 * Prepares a restored database for its first use, in one transaction: the numbers that only grow jump ahead, and sessions that the
 * backup knows as connected have ended. A peer that held a task keeps it for a while, as after a restart of the mesh. Does nothing
 * to any other database.
 */
export function continueAfterRestore(sql: Sql, now: Millis): void {
  if (sql.exec(`SELECT 1 FROM settings WHERE ${IS_RESTORE_MARK}`).length === 0) return;
  sql.transaction(() => {
    const restoredAt = Math.max(now, (readRestoredAt(sql) ?? 0) + 1);
    endSessions(sql, now);
    keepBegunTasks(sql, now);
    jumpAhead(sql, restoredAt);
    noteRestore(sql, restoredAt, now);
    setSetting(sql, RESTORED_AT, String(restoredAt));
    // Who followed the mesh before the restore is told of a gap, because what it saw since the backup is undone.
    sql.exec(`DELETE FROM event_log`);
    setSetting(sql, "events_begun_at", String(restoredAt * 1_000));
    sql.exec(`DELETE FROM settings WHERE ${IS_RESTORE_MARK}`);
  });
}

/** No session of before exists any more. */
function endSessions(sql: Sql, now: Millis): void {
  sql.exec(
    `UPDATE peers SET state = 'stale', state_since = ?1, lost_at = COALESCE(lost_at, ?1), session = NULL, leaving = 0
     WHERE state IN ('active', 'suspect')`,
    now,
  );
  sql.exec(
    `UPDATE dials SET state = 'waiting', since = ?1, due_at = ?1 WHERE state IN ('queued', 'dialling', 'connected')`,
    now,
  );
}

/**
 * Running tasks wait for their peers. Offers were lost with the sessions: their peers may still accept them, but other peers need not
 * wait for that.
 */
function keepBegunTasks(sql: Sql, now: Millis): void {
  sql.exec(
    `UPDATE tasks SET lease_until = MIN(MAX(lease_until, ?), COALESCE(attempt_until, ?)) WHERE state = 'running' AND lease_until IS NOT NULL`,
    now + RETURN_GRACE,
    now + RETURN_GRACE,
  );
  sql.exec(
    `UPDATE attempts SET state = 'unanswered', ended_at = ?, error = 'the mesh was restored from a backup'
     WHERE ended_at IS NULL AND (task_id, fence) IN (SELECT id, fence FROM tasks WHERE state = 'leased')`,
    now,
  );
  sql.exec(
    `UPDATE tasks SET state = 'queued', peer_id = NULL, lease_until = NULL, attempt_until = NULL, prefetched = 0 WHERE state = 'leased'`,
  );
  sql.exec(
    `UPDATE peers SET held = (SELECT COUNT(*) FROM tasks WHERE lease_until IS NOT NULL AND peer_id = peers.id)
     WHERE held <> (SELECT COUNT(*) FROM tasks WHERE lease_until IS NOT NULL AND peer_id = peers.id)`,
  );
}

/** Session and discovery epochs, and fences of ended tasks, jump when the next one is given (`nextNumber`). */
function jumpAhead(sql: Sql, restoredAt: Millis): void {
  sql.exec(
    `UPDATE tasks SET last_fence = ?1 WHERE ended_at IS NULL AND last_fence < ?1`,
    restoredAt,
  );
  // Isolates of the gateway may have sources of a later revision in memory.
  sql.exec(`UPDATE webhook_sources SET revision = ?`, restoredAt);
  setSetting(sql, "webhook_source_revision", String(restoredAt));
  // Readers refuse changes that are older than those they have seen.
  setSetting(sql, "discovery_seq", String(restoredAt));
  // The records are published again, and replicas get everything anew.
  sql.exec(`DELETE FROM settings WHERE key IN ('directory', 'metadata_due')`);
  // Cells whose backups are of different times learn the facts of the mesh anew.
  sql.exec(`DELETE FROM settings WHERE key = 'facts_version'`);
}

/** The audit log continues after the restore, too: an entry of the time between keeps its number for itself. */
function noteRestore(sql: Sql, restoredAt: Millis, now: Millis): void {
  const [row] = sql.exec(`SELECT COALESCE(MAX(seq), 0) AS seq FROM audit`);
  insertRow(sql, "audit", {
    seq: nextNumber(number(row as SqlRow, "seq"), restoredAt),
    at: now,
    last_at: now,
    count: 1,
    actor: "mesh",
    act: "restore",
    subject: "mesh",
    outcome: "ok",
    detail: JSON.stringify({ numbers_continue_at: restoredAt }),
    budget: "operator",
  });
}
