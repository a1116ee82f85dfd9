import type { Millis } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import { pick } from "../base/pick.ts";
import type { TaskState } from "../protocol/http.ts";
import type { PeerId } from "../protocol/ids.ts";
import type { Task } from "../tasks/task.ts";
import {
  insertRow,
  json,
  number,
  numberOrNull,
  text,
  type Sql,
  type SqlRow,
  type SqlValue,
} from "./sql.ts";
import {
  HELD_COLUMNS,
  LISTED_COLUMNS,
  readHeldTask,
  readListed,
  readWaiting,
  WAITING_COLUMNS,
  writeTask,
  type ListedTask,
} from "./task-rows.ts";
import { Recalls } from "./recalls.ts";
import { WaitingTasks } from "./waiting-tasks.ts";
import { OwnerShares } from "./owner-shares.ts";
import { RunningTasks } from "./running-tasks.ts";
import { readCache } from "./write-behind.ts";

export interface TaskFilter {
  readonly state?: TaskState | undefined;
  readonly kind?: string | undefined;
  readonly source?: string | undefined;
  readonly peerId?: PeerId | undefined;
  readonly createdAfter?: Millis | undefined;
  readonly createdBefore?: Millis | undefined;
  /** Only tasks of this owner. */
  readonly owner?: string | null | undefined;
  /** Only tasks of the owner whose tasks the caller may see; null for every owner's. */
  readonly visibleTo?: string | null;
  /** Only tasks older than the one with this sequence number. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** @param onAnswer called when a peer that may get no more offers has answered one */
export function tasksTable(sql: Sql, onAnswer: (peerId: PeerId) => void) {
  const running = new RunningTasks();
  const readHeld = () =>
    sql.exec(`SELECT ${HELD_COLUMNS} FROM tasks WHERE lease_until IS NOT NULL`).map(readHeldTask);
  running.reset(readHeld());
  const shares = new OwnerShares();
  const ids = (query: string, ...bindings: SqlValue[]) =>
    sql.exec(query, ...bindings).map((row) => text(row, "id"));
  const readStored = () =>
    sql
      .exec(
        `SELECT ${WAITING_COLUMNS} FROM tasks WHERE ended_at IS NULL AND state = 'queued'
         UNION ALL SELECT ${WAITING_COLUMNS} FROM tasks WHERE lease_until IS NOT NULL AND state = 'leased'`,
      )
      .map(readWaiting);
  const recalls = new Recalls();
  const waiting: WaitingTasks = new WaitingTasks(readStored, {
    answer: onAnswer,
    arrival: (owner) => shares.arrived(owner, (other) => waiting.queuedOf(other) > 0),
  });
  const wrote = (task: Task, seq: () => number): void => {
    running.wrote(task);
    if (task.state === "queued") shares.returned(task.id);
    else if (task.state !== "leased") shares.settled(task.id);
    waiting.wrote(task, seq);
    recalls.wrote(task);
  };
  const seqOf = (id: string): number =>
    number(sql.exec(`SELECT seq FROM tasks WHERE id = ?`, id)[0] as SqlRow, "seq");
  const kept = readCache<Task>((id) => {
    const row = sql.exec(`SELECT * FROM tasks WHERE id = ?`, id)[0];
    return row === undefined
      ? null
      : { ...readListed(row), payload: json(row, "payload"), result: json(row, "result") };
  });
  return {
    /** Small tasks that were read or written lately. */
    kept,

    /** The tasks that are queued or prefetched, in memory. */
    waiting,

    /** The prefetched tasks that were asked back, in memory. */
    recalls,

    /** The tasks that peers hold, counted. */
    running,

    /** What each owner has got lately. */
    shares,

    get(id: string): Task | null {
      const known = kept.has(id);
      const task = kept.get(id);
      if (!known && (task === null || !isSmall(task))) kept.forget(id);
      return task;
    },

    insert(task: Task): void {
      const [row] = insertRow(sql, "tasks", writeTask(task), "RETURNING seq");
      if (isSmall(task)) kept.wrote(task.id, task);
      wrote(task, () => number(row as SqlRow, "seq"));
    },

    /** Writes the fields of a task that change. The others were fixed when it was accepted. */
    update(task: Task): void {
      sql.exec(
        `UPDATE tasks SET state = ?, not_before = ?, ended_at = ?, fence = ?, last_fence = ?, tries = ?, interruptions = ?,
         attempt_until = ?, lease_until = ?, prefetched = ?, peer_id = ?, progress = ?, message = ?, result = ?, error = ? WHERE id = ?`,
        task.state,
        task.notBefore,
        task.endedAt,
        task.fence,
        task.lastFence,
        task.attemptsUsed,
        task.interruptions,
        task.attemptUntil,
        task.leaseUntil,
        Number(task.prefetched),
        task.peerId,
        task.progress,
        task.message,
        JSON.stringify(task.result),
        task.error,
        task.id,
      );
      const before = kept.has(task.id) ? kept.get(task.id) : null;
      if (before !== null) {
        const after = { ...before, ...pick(task, CHANGING_FIELDS) };
        if (isSmall(after)) kept.wrote(task.id, after);
        else kept.forget(task.id);
      }
      wrote(task, () => seqOf(task.id));
    },

    /** Writes a task that is put back into the queue after its end: also its deadline, its attempts and its position. */
    restart(task: Task): void {
      sql.exec(
        `UPDATE tasks SET deadline_at = ?, max_attempts = ?, retries = ?, turn = ? WHERE id = ?`,
        task.deadlineAt,
        task.maxAttempts,
        task.retries,
        task.queuePosition,
        task.id,
      );
      kept.forget(task.id);
      this.update(task);
    },

    /** Newest first. */
    list(filter: TaskFilter): readonly ListedTask[] {
      return sql
        .exec(
          `SELECT ${LISTED_COLUMNS} FROM tasks WHERE (?1 IS NULL OR seq < ?1) AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR kind = ?3)
             AND (?4 IS NULL OR owner = ?4) AND (?10 IS NULL OR owner = ?10) AND (?5 IS NULL OR source = ?5) AND (?6 IS NULL OR peer_id = ?6)
             AND (?7 IS NULL OR created_at > ?7) AND (?8 IS NULL OR created_at < ?8)
           ORDER BY seq DESC LIMIT ?9`,
          filter.before ?? null,
          filter.state ?? null,
          filter.kind ?? null,
          filter.owner ?? null,
          filter.source ?? null,
          filter.peerId ?? null,
          filter.createdAfter ?? null,
          filter.createdBefore ?? null,
          filter.limit,
          filter.visibleTo ?? null,
        )
        .map((row) => ({ ...readListed(row), seq: number(row, "seq") }));
    },

    /** IDs of the tasks that a peer holds. */
    heldBy(peerId: PeerId): readonly string[] {
      return ids(`SELECT id FROM tasks WHERE lease_until IS NOT NULL AND peer_id = ?`, peerId);
    },

    /** When the last lease of a peer ends; null when it holds none. */
    leasedUntil(peerId: PeerId): Millis | null {
      const row = sql.exec(
        `SELECT MAX(lease_until) AS until FROM tasks WHERE lease_until IS NOT NULL AND peer_id = ?`,
        peerId,
      )[0];
      return numberOrNull(row as SqlRow, "until");
    },

    /** Moves a peer's tasks and attempts to its new ID after a key rotation. */
    handOver(from: PeerId, to: PeerId): void {
      sql.exec(
        `UPDATE tasks SET peer_id = ? WHERE lease_until IS NOT NULL AND peer_id = ?`,
        to,
        from,
      );
      sql.exec(`UPDATE attempts SET peer_id = ? WHERE ended_at IS NULL AND peer_id = ?`, to, from);
      sql.exec(`UPDATE tasks SET owner = ? WHERE source = 'peer' AND owner = ?`, to, from);
      kept.forgetAll();
      waiting.forget();
      shares.handOver(from, to);
      running.reset(readHeld());
    },

    /** IDs of tasks whose lease has ended, or whose offer was not accepted in time. */
    leasesOver(now: Millis): readonly string[] {
      return ids(`SELECT id FROM tasks WHERE lease_until <= ? ORDER BY lease_until LIMIT 500`, now);
    },

    pastDeadline(now: Millis): readonly string[] {
      return ids(
        `SELECT id FROM tasks WHERE ended_at IS NULL AND deadline_at <= ? ORDER BY deadline_at LIMIT 500`,
        now,
      );
    },

    /** When the next lease, deadline or pause ends; null when nothing waits for a time. */
    nextDue(now: Millis): Millis | null {
      const row = sql.exec(
        `SELECT MIN(due) AS due FROM (
           SELECT MIN(lease_until) AS due FROM tasks WHERE lease_until IS NOT NULL
           UNION ALL SELECT MIN(deadline_at) FROM tasks WHERE ended_at IS NULL
           UNION ALL SELECT MIN(not_before) FROM tasks
             WHERE state = 'queued' AND not_before > created_at AND not_before > ?)`,
        now,
      )[0] as SqlRow;
      return numberOrNull(row, "due");
    },

    /** Removes tasks that ended before this, with what belongs to them; at most 500 at once. Returns their IDs. */
    prune(endedBefore: Millis): readonly string[] {
      const old = ids(
        `SELECT id FROM tasks WHERE ended_at IS NOT NULL AND ended_at < ? LIMIT 500`,
        endedBefore,
      );
      for (const id of old) {
        sql.exec(`DELETE FROM attempts WHERE task_id = ?`, id);
        sql.exec(`DELETE FROM callbacks WHERE task_id = ?`, id);
        sql.exec(`DELETE FROM task_results WHERE task_id = ?`, id);
        sql.exec(`DELETE FROM tasks WHERE id = ?`, id);
        kept.forget(id);
      }
      return old;
    },
  };
}

/** The fields of a task that change. */
const CHANGING_FIELDS = [
  "state",
  "notBefore",
  "endedAt",
  "fence",
  "lastFence",
  "attemptsUsed",
  "interruptions",
  "attemptUntil",
  "leaseUntil",
  "prefetched",
  "peerId",
  "progress",
  "message",
  "result",
  "error",
] as const;

/** Characters, and parts, of a payload or a result up to which a task is kept in memory. */
const SMALL_CHARS_MAX = 1_024;
const SMALL_PARTS_MAX = 64;

/** Whether a task may be kept in memory. */
const isSmall = ({ payload, result }: Task): boolean => isShort(payload) && isShort(result);

/** Stops at the first part that is too much, so that a large value costs no more than a small one. */
function isShort(value: Json): boolean {
  let [parts, chars] = [0, 0];
  const waiting: Json[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (++parts > SMALL_PARTS_MAX) return false;
    if (typeof next === "string") chars += next.length;
    else if (typeof next === "object" && next !== null)
      for (const [key, part] of Object.entries(next)) {
        chars += key.length;
        if (waiting.push(part) > SMALL_PARTS_MAX) return false;
      }
    if (chars > SMALL_CHARS_MAX) return false;
  }
  return true;
}
