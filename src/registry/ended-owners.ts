import type { Millis } from "../base/clock.ts";
import { UndoMap } from "../base/undo-map.ts";
import type { Task } from "../tasks/task.ts";
import { isPeerOwner, ownerKeyOf } from "../tasks/owner-key.ts";
import type { Facts } from "./facts.ts";
import { minimum, number, numberOrNull, text, type Sql, type SqlRow } from "./sql.ts";

/** A place in the list of scheduled callbacks: by due time, then by task. */
export interface CallbackPlace {
  readonly dueAt: Millis;
  readonly taskId: string;
}

/** An owner whose tasks are being cancelled, or were: its key was revoked, or its webhook source removed. */
export interface EndedOwner {
  /** As in `ownerKeyOf`. */
  readonly key: string;
  readonly endedAt: Millis;
  /** How many tasks were cancelled, and how many callbacks were given up. */
  readonly tasks: number;
  readonly callbacks: number;
  /** Up to where callbacks were given up. */
  readonly place: CallbackPlace;
  /** Null while tasks or callbacks are left. */
  readonly doneAt: Millis | null;
}

/** Owners that were ended. All are in memory: they decide what is offered and which callback is sent. */
export function endedOwnersTable(sql: Sql, facts: Pick<Facts, "note">) {
  /** An owner was ended, or may cause tasks again. What peers set in motion is in their own cells. */
  const onChange = (key: string): void => {
    if (!isPeerOwner(key)) facts.note("ended_owners", [key]);
  };
  const kept = new UndoMap<string, EndedOwner>();
  for (const row of sql.exec(`SELECT * FROM ended_owners`)) kept.set(text(row, "owner"), read(row));
  const isUnfinished = (key: string): boolean => kept.get(key)?.doneAt === null;
  return {
    kept,
    /** Whether the owner was ended, so that the task's callback is not sent. */
    isEnded: (task: Pick<Task, "owner" | "source">): boolean =>
      kept.size > 0 && kept.get(ownerKeyOf(task)) !== undefined,
    /** Whether the tasks of this owner are being cancelled: none of them is offered, and no callback of them is sent. */
    isEnding: (task: Pick<Task, "owner" | "source">): boolean =>
      kept.size > 0 && isUnfinished(ownerKeyOf(task)),
    isUnfinished,
    /** When the owner was ended; null if it was not. */
    endedAt: (key: string): Millis | null => kept.get(key)?.endedAt ?? null,
    /** The owners of which tasks or callbacks are left. */
    unfinished: (): readonly EndedOwner[] =>
      [...kept.entries()].map(([, owner]) => owner).filter(({ doneAt }) => doneAt === null),
    put(owner: EndedOwner): void {
      if (kept.get(owner.key)?.endedAt !== owner.endedAt) onChange(owner.key);
      sql.exec(
        `INSERT OR REPLACE INTO ended_owners (owner, ended_at, tasks, callbacks, place_due_at, place_task_id, done_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        owner.key,
        owner.endedAt,
        owner.tasks,
        owner.callbacks,
        owner.place.dueAt,
        owner.place.taskId,
        owner.doneAt,
      );
      kept.set(owner.key, owner);
    },
    /** The owner may cause tasks again. */
    remove(key: string): void {
      if (kept.get(key) === undefined) return;
      sql.exec(`DELETE FROM ended_owners WHERE owner = ?`, key);
      kept.delete(key);
      onChange(key);
    },
    /** When the first owner was ended of which nothing is left. */
    oldest: (): Millis | null =>
      minimum(sql, `SELECT MIN(ended_at) AS at FROM ended_owners WHERE done_at IS NOT NULL`),
    /** Forgets owners whose last task of before their end was deleted long ago. */
    prune(endedBefore: Millis): void {
      for (const [key, { endedAt, doneAt }] of kept.entries())
        if (doneAt !== null && endedAt < endedBefore) this.remove(key);
    },
  };
}

const read = (row: SqlRow): EndedOwner => ({
  key: text(row, "owner"),
  endedAt: number(row, "ended_at"),
  tasks: number(row, "tasks"),
  callbacks: number(row, "callbacks"),
  place: { dueAt: number(row, "place_due_at"), taskId: text(row, "place_task_id") },
  doneAt: numberOrNull(row, "done_at"),
});
