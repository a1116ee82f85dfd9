import { err, ok, type Result } from "../../base/result.ts";
import type { ErrorCode, MusterError } from "../../protocol/errors.ts";
import type { BulkView } from "../../protocol/http.ts";
import {
  BULK_CHANGED_MAX,
  BULK_IDS_SHOWN,
  BULK_PREVIEWED_MAX,
} from "../../protocol/task-limits.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import type { PlainHandler } from "../kernel/handler.ts";
import { nextPiece, type BulkInput, type Piece, type SelectedTask } from "./selection.ts";
import { cancelOpenTask } from "../tasks/attempts.ts";
import { restartTask } from "../tasks/retry-task.ts";

export const cancelTasks: PlainHandler<"cancel_tasks"> = (context, input) =>
  changePiece(context, { act: "cancel", ...input }, (task) => {
    cancelOpenTask(context, task);
    return ok(undefined);
  });

export const retryTasks: PlainHandler<"retry_tasks"> = (context, input) =>
  changePiece(context, { act: "retry", ...input }, (task) => restartTask(context, task, input));

export const previewTasks: PlainHandler<"preview_tasks"> = (context, input) => {
  const piece = nextPiece(context, input, BULK_PREVIEWED_MAX);
  return piece.ok ? ok(viewOf(piece.value)) : piece;
};

/**
 * Changes the next piece. One that finds no room in the queue ends there, and is refused if nothing was changed before. Where the
 * tasks of several owners are selected, those of an owner whose own limit is reached are skipped: others need not wait for it. A
 * task whose payload was dropped is skipped, too.
 */
function changePiece(
  context: Context,
  input: BulkInput,
  change: (task: Task) => Result<void, MusterError>,
): Result<BulkView, MusterError> {
  const piece = nextPiece(context, input, BULK_CHANGED_MAX);
  if (!piece.ok) return piece;
  const ofSeveral = input.visibleTo === null && input.filter?.owner === undefined;
  const tasks: SelectedTask[] = [];
  const skipped = [...piece.value.skipped];
  for (const task of piece.value.tasks) {
    const changed = change(context.registry.tasks.get(task.id) as Task);
    if (changed.ok) tasks.push(task);
    else if (isOfTask(changed.error.code) || (isOfOwner(changed.error.code) && ofSeveral))
      skipped.push({ id: task.id, code: changed.error.code });
    else if (tasks.length + skipped.length === piece.value.skipped.length)
      return err(changed.error);
    else return ok(viewOf({ tasks, skipped, next: task.from }));
  }
  return ok(viewOf({ tasks, skipped, next: piece.value.next }));
}

/** Whether an error concerns this one task, so that the others are changed. */
const isOfTask = (code: ErrorCode): boolean => code === "payload_dropped";

/** Whether an error concerns all tasks of one owner. */
const isOfOwner = (code: ErrorCode): boolean =>
  code === "owner_queue_full" || code === "owner_bytes_full";

/** The answer about a piece whose tasks were changed. */
const viewOf = ({ tasks, skipped, next }: Piece): BulkView => ({
  count: tasks.length,
  task_ids: tasks.slice(0, BULK_IDS_SHOWN).map(({ id }) => id),
  skipped: [...skipped],
  next_cursor: next,
});
