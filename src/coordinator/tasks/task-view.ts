import { downloadSecret } from "../../access/result-secrets.ts";
import { resultSecretText } from "../../crypto/result-tickets.ts";
import { sign, type ResultStatement } from "../../discovery/signed-statements.ts";
import type { TaskView } from "../../protocol/http.ts";
import type { PayloadOf } from "../../protocol/messages.ts";
import type { ResultExtra } from "../../registry/task-results.ts";
import type { Task } from "../../tasks/task.ts";
import type { Callback } from "../../webhooks/index.ts";
import type { Context } from "../kernel/context.ts";
import { taskView } from "./views.ts";

/** The view of an existing task, as its caller sees it. */
export function viewOf({ registry, config }: Context, id: string): TaskView {
  const task = withOwnKey(registry, registry.tasks.get(id) as Task);
  const extra = registry.taskResults.get(id);
  const view = taskView(task, registry.attempts.of(id), shownCallback(registry, id), extra);
  const statement = statementOf(task, extra);
  if (statement === null) return view;
  const signature = sign("result", statement, config.discovery.signingKey);
  return {
    ...view,
    result_sha256: statement.sha256,
    result_fence: statement.fence,
    result_signature: signature,
  };
}

/** A task that counts for its concurrency key in another cell has no key here, but is shown with it. */
function withOwnKey({ cells, taskArrivals }: Context["registry"], task: Task): Task {
  const permit = cells.isSingle ? null : (taskArrivals.get(task.id)?.permit ?? null);
  return permit === null ? task : { ...task, concurrency: permit.concurrency };
}

/** A task's callback; while its receiver does not answer, its next attempt is not before the receiver's next probe. */
function shownCallback({ callbacks }: Context["registry"], taskId: string): Callback | null {
  const callback = callbacks.get(taskId);
  if (callback === null || callback.dueAt === null) return callback;
  const resumeAt = callbacks.queues.receiver(callback.origin)?.resumeAt ?? 0;
  return { ...callback, dueAt: Math.max(callback.dueAt, resumeAt) };
}

/** What the mesh signs of a result that is stored apart from its task; null for a task without one. */
function statementOf({ id, fence }: Task, extra: ResultExtra): ResultStatement | null {
  const { blobId, bytes, sha256, sealed } = extra;
  if (blobId === null || bytes === null || sha256 === null) return null;
  return { task_id: id, fence, bytes, sha256, sealed };
}

/** Number of attempts that a peer is shown, the newest: they have to fit a frame with the payload and the result. */
const ATTEMPTS_SHOWN = 20;

/**
 * The same for a peer that submitted the task over its session and has no token to fetch a result with. Of a task that has succeeded its
 * session gets the secret to fetch the result, which it passes on if the result is not in the message.
 */
export function shownTo(context: Context, peerId: string, id: string): PayloadOf<"task_shown"> {
  const whole = viewOf(context, id);
  const task = { ...whole, attempts: whole.attempts.slice(-ATTEMPTS_SHOWN) };
  if (task.state !== "succeeded") return { task };
  const secret = downloadSecret(context.config.credentialKey, { taskId: id, peerId });
  return { task, ticket: resultSecretText(secret) };
}
