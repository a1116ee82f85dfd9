import { TASK_ERROR_CHARS_MAX } from "../../protocol/constants.ts";
import {
  ErrorMessage,
  GO_P2P_REPLIES,
  type GoP2pReply,
  type TaskResult,
} from "../../protocol/messages.ts";
import { matchReply } from "../relayed-requests.ts";
import { command, stay } from "../moves.ts";
import type { TaskRequest } from "../state.ts";
import type { Handler, Message } from "./handler.ts";

/**
 * A reply counts only for an outstanding request, and only if it has the type that answers the request: then it is the result
 * of the task that the request carried, or goes to the caller that waits for it. Any other reply is ignored.
 */
export const handleReply: Handler<GoP2pReply> = (session, reply) => {
  const request = session.taskRequests.find(({ id }) => id === reply.replyTo);
  if (request === undefined) return matchReply(session, reply) ?? stay(session);
  const outcome = outcomeOf(request, reply);
  if (outcome === null) return stay(session);
  const { claim, epoch } = session;
  return stay(
    { ...session, taskRequests: session.taskRequests.filter((other) => other !== request) },
    command({ name: "finish_task", input: { peerId: claim.peerId, epoch, outcome } }),
  );
};

function outcomeOf(
  { taskId, fence, type }: TaskRequest,
  reply: Message<GoP2pReply>,
): TaskResult | null {
  const task = { task_id: taskId, fence };
  if (reply.type === "error") {
    const { message, code } = ErrorMessage.parse(reply.payload);
    return {
      ...task,
      ok: false,
      error: `${code}: ${message}`.slice(0, TASK_ERROR_CHARS_MAX),
      retry: true,
    };
  }
  if (reply.type !== GO_P2P_REPLIES[type]) return null;
  return { ...task, ok: true, result: reply.payload as never };
}
