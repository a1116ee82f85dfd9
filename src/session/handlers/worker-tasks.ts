import { command, stay } from "../moves.ts";
import type { Active } from "../state.ts";
import type { Handler } from "./handler.ts";

/*
 * What a worker says about a task goes to the coordinator, which records the peer that holds it. A refusal by the
 * coordinator is the reply to the worker's message.
 */

export const handleTaskAccept: Handler<"task_accept"> = (session, { id, payload }, { now }) => {
  const input = { ...attemptOf(session, payload), queued: payload.queued, at: now };
  return stay(session, command({ name: "accept_task", input }, id));
};

export const handleTaskRefuse: Handler<"task_refuse"> = (session, { id, payload }) => {
  const input = { ...attemptOf(session, payload), reason: payload.reason };
  return stay(session, command({ name: "refuse_task", input }, id));
};

export const handleTaskRelease: Handler<"task_release"> = (session, { id, payload }) => {
  const { reason, begun } = payload;
  const input = { ...attemptOf(session, payload), reason, begun };
  return stay(session, command({ name: "release_task", input }, id));
};

export const handleTaskProgress: Handler<"task_progress"> = (session, { id, payload }) => {
  const { progress = null, message = null, queued } = payload;
  const input = { ...attemptOf(session, payload), progress, message, queued };
  return stay(session, command({ name: "progress_task", input }, id));
};

export const handleTaskResult: Handler<"task_result"> = (session, { id, payload }) => {
  const { claim, epoch } = session;
  const input = { peerId: claim.peerId, epoch, outcome: payload };
  return stay(session, command({ name: "finish_task", input }, id));
};

const attemptOf = (
  { claim, epoch }: Active,
  { task_id, fence }: { readonly task_id: string; readonly fence: number },
) => ({
  peerId: claim.peerId,
  epoch,
  taskId: task_id,
  fence,
});
