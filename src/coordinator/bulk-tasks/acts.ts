import { err, ok, type Result } from "../../base/result.ts";
import type { MusterError } from "../../protocol/errors.ts";
import type { BulkView } from "../../protocol/http.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import type { PlainHandler } from "../kernel/handler.ts";
import { nextPiece, type BulkInput, type Piece } from "./selection.ts";
import { cancelOpenTask } from "../tasks/attempts.ts";
import { restartTask } from "../tasks/retry-task.ts";

/**
 * Tasks that one command changes: other commands wait for it no longer than for a full group of single ones. The caller
 * repeats the command from where it ended.
 */
const CHANGED_MAX = 200;
/** Tasks that one preview counts. */
const PREVIEWED_MAX = 10_000;
/** IDs that an answer shows. */
const IDS_SHOWN = 20;

export const cancelTasks: PlainHandler<"cancel_tasks"> = (context, input) =>
  changePiece(context, { act: "cancel", ...input }, (task) => {
    cancelOpenTask(context, task);
    return ok(undefined);
  });

export const retryTasks: PlainHandler<"retry_tasks"> = (context, input) =>
  changePiece(context, { act: "retry", ...input }, (task) => restartTask(context, task, input));

export const previewTasks: PlainHandler<"preview_tasks"> = (context, input) => {
  const piece = nextPiece(context, input, PREVIEWED_MAX);
  return piece.ok ? ok(viewOf(piece.value, piece.value.tasks.length)) : piece;
};

/** Changes the next piece. One that finds no room in the queue ends there, and is refused if nothing was changed before. */
function changePiece(
  context: Context,
  input: BulkInput,
  change: (task: Task) => Result<void, MusterError>,
): Result<BulkView, MusterError> {
  const piece = nextPiece(context, input, CHANGED_MAX);
  if (!piece.ok) return piece;
  const { tasks } = piece.value;
  for (const [index, { id, from }] of tasks.entries()) {
    const changed = change(context.registry.tasks.get(id) as Task);
    if (changed.ok) continue;
    if (index === 0) return err(changed.error);
    return ok({ ...viewOf(piece.value, index), next_cursor: from });
  }
  return ok(viewOf(piece.value, tasks.length));
}

/** The answer about a piece of which the first `count` tasks were changed. */
const viewOf = ({ tasks, skipped, next }: Piece, count: number): BulkView => ({
  count,
  task_ids: tasks.slice(0, Math.min(count, IDS_SHOWN)).map(({ id }) => id),
  skipped: [...skipped],
  next_cursor: next,
});
