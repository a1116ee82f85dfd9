import type { Millis } from "../base/clock.ts";
import { textOfJson } from "../base/json-text/json-text.ts";
import { pick } from "../base/pick.ts";
import type { MeshEvent } from "../protocol/events.ts";
import type { PeerId } from "../protocol/ids.ts";
import { ownerKeyOf } from "../tasks/owner-key.ts";
import type { Task } from "../tasks/task.ts";
import { endedTasksTable, readEndedBytes } from "./ended-tasks.ts";
import { OwnerBytes, type TaskBytes } from "./owner-bytes.ts";
import {
  insertRow,
  number,
  numberOrNull,
  text,
  type Sql,
  type SqlRow,
  type SqlValue,
} from "./sql.ts";
import {
  CHANGING_FIELDS,
  HELD_COLUMNS,
  INPUT_BYTES,
  bytesOfInput,
  bytesOfOutcome,
  LISTED_COLUMNS,
  readHeldTask,
  readListed,
  readTask,
  readWaiting,
  WAITING_COLUMNS,
  writeTask,
} from "./task-rows.ts";
import { isSmall } from "./small-task.ts";
import { readStatus, taskEvent, type TaskStatus } from "./task-events.ts";
import { taskList } from "./task-list.ts";
import { taskDueTimes } from "./task-due-times.ts";
import { Recalls } from "./recalls.ts";
import { WaitingTasks } from "./waiting-tasks.ts";
import { OwnerShares } from "./owner-shares.ts";
import { RunningTasks } from "./running-tasks.ts";
import { readCache } from "./write-behind.ts";

/**
 * @param onAnswer called when a peer that may get no more offers has answered one
 * @param events keeps the event of a change, if anybody wants it
 */
export function tasksTable(
  sql: Sql,
  onAnswer: (peerId: PeerId) => void,
  events: { readonly isOn: () => boolean; readonly record: (event: MeshEvent) => void },
) {
  const running = new RunningTasks();
  const readHeld = () =>
    sql.exec(`SELECT ${HELD_COLUMNS} FROM tasks WHERE lease_until IS NOT NULL`).map(readHeldTask);
  running.reset(readHeld());
  const ownerBytes = new OwnerBytes(() => readEndedBytes(sql));
  const readOpenBytes = () =>
    sql
      .exec(
        `SELECT id, quota_owner, bytes FROM tasks INDEXED BY tasks_deadlines WHERE ended_at IS NULL`,
      )
      .map((row) => ({
        id: text(row, "id"),
        owner: text(row, "quota_owner"),
        bytes: number(row, "bytes"),
      }));
  ownerBytes.reset(readOpenBytes());
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
  const bytesOf = (id: string): TaskBytes => {
    const [row] = sql.exec(`SELECT quota_owner, bytes FROM tasks WHERE id = ?`, id);
    return { owner: text(row as SqlRow, "quota_owner"), bytes: number(row as SqlRow, "bytes") };
  };
  /** What peers said when they gave the task up. A task that was done at its first offer costs no query. */
  const bytesOfAttempts = ({ id, lastFence, state }: Task): number => {
    if (lastFence === 0 || (lastFence === 1 && state === "succeeded")) return 0;
    const [row] = sql.exec(
      `SELECT COALESCE(SUM(octet_length(error)), 0) AS bytes FROM attempts WHERE task_id = ?`,
      id,
    );
    return number(row as SqlRow, "bytes");
  };
  /** A large task is not in memory and costs a query. */
  const statusOf = (id: string): TaskStatus => {
    const task = kept.has(id) ? kept.get(id) : null;
    if (task !== null) return task;
    const [row] = sql.exec(`SELECT state, fence, progress, message FROM tasks WHERE id = ?`, id);
    return readStatus(row as SqlRow);
  };
  const recordChange = (task: Task, before: TaskStatus | null): void => {
    const event = taskEvent(task, before);
    if (event !== null) events.record(event);
  };
  const seqOf = (id: string): number =>
    number(sql.exec(`SELECT seq FROM tasks WHERE id = ?`, id)[0] as SqlRow, "seq");
  const kept = readCache<Task>((id) => {
    const row = sql.exec(`SELECT * FROM tasks WHERE id = ?`, id)[0];
    return row === undefined ? null : readTask(row);
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

    /** How many bytes the tasks of each owner take. */
    ownerBytes,

    ended: endedTasksTable(sql, ownerBytes, (id) => kept.forget(id)),

    get(id: string): Task | null {
      const known = kept.has(id);
      const task = kept.get(id);
      if (!known && (task === null || !isSmall(task))) kept.forget(id);
      return task;
    },

    /** The task without payload and result, which may be large. */
    withoutContents(id: string): Omit<Task, "payload" | "result"> | null {
      const known = kept.has(id) ? kept.get(id) : null;
      if (known !== null) return known;
      const [row] = sql.exec(`SELECT ${LISTED_COLUMNS} FROM tasks WHERE id = ?`, id);
      return row === undefined ? null : readListed(row);
    },

    /** @param isNew false if another cell has accepted it */
    insert(task: Task, isNew = true): void {
      const payload = textOfJson(task.payload);
      const requirements = JSON.stringify(task.requirements);
      const owner = ownerKeyOf(task);
      const bytes = bytesOfInput(payload, requirements, task.trace);
      const [row] = insertRow(
        sql,
        "tasks",
        { ...writeTask(task), payload, requirements, quota_owner: owner, bytes },
        "RETURNING seq",
      );
      if (isNew) recordChange(task, null);
      if (task.endedAt === null) ownerBytes.opened(task.id, { owner, bytes });
      else ownerBytes.addEnded(owner, bytes);
      if (isSmall(task)) kept.wrote(task.id, task);
      wrote(task, () => number(row as SqlRow, "seq"));
    },

    /** Writes the fields of a task that change. The others were fixed when it was accepted. */
    update(task: Task): void {
      if (events.isOn()) recordChange(task, statusOf(task.id));
      const result = textOfJson(task.result);
      const open = ownerBytes.open(task.id);
      const bytes =
        open === undefined || task.endedAt === null
          ? null
          : open.bytes + bytesOfOutcome(result, task) + bytesOfAttempts(task);
      sql.exec(
        `UPDATE tasks SET state = ?, not_before = ?, ended_at = ?, fence = ?, last_fence = ?, tries = ?, interruptions = ?,
         attempt_until = ?, lease_until = ?, prefetched = ?, peer_id = ?, progress = ?, message = ?, result = ?, error = ?,
         bytes = COALESCE(?, bytes) WHERE id = ?`,
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
        result,
        task.error,
        bytes,
        task.id,
      );
      if (open !== undefined && bytes !== null) {
        ownerBytes.closed(task.id);
        ownerBytes.addEnded(open.owner, bytes);
      }
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
      const ended = bytesOf(task.id);
      ownerBytes.addEnded(ended.owner, -ended.bytes);
      sql.exec(
        `UPDATE tasks SET deadline_at = ?, max_attempts = ?, retries = ?, retried_at = ?, turn = ?,
         bytes = ${INPUT_BYTES} WHERE id = ?`,
        task.deadlineAt,
        task.maxAttempts,
        task.retries,
        task.retriedAt,
        task.queuePosition,
        task.id,
      );
      ownerBytes.opened(task.id, bytesOf(task.id));
      kept.forget(task.id);
      this.update(task);
    },

    ...taskList(sql),

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
      sql.exec(
        `UPDATE tasks SET owner = ?1, quota_owner = ?1 WHERE source = 'peer' AND owner = ?2`,
        to,
        from,
      );
      kept.forgetAll();
      waiting.forget();
      shares.handOver(from, to);
      running.reset(readHeld());
      ownerBytes.reset(readOpenBytes());
    },

    ...taskDueTimes(sql),
  };
}
