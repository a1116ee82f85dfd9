import type { GoP2pReply } from "../../protocol/messages.ts";
import { matchReply } from "../relayed-requests.ts";
import { command, stay } from "../moves.ts";
import { replyOutcome } from "../reply-outcome.ts";
import type { Handler } from "./handler.ts";

/**
 * A reply counts only for an outstanding request, and only if it has the type that answers the request: then it is the outcome
 * of the task that the request carried, or goes to the caller that waits for it. Any other reply is ignored.
 */
export const handleReply: Handler<GoP2pReply> = (session, reply) => {
  const request = session.taskRequests.find(({ id }) => id === reply.replyTo);
  if (request === undefined) return matchReply(session, reply) ?? stay(session);
  const { type, taskId: task_id, fence } = request;
  const read = replyOutcome(type, reply);
  if (read === null) return stay(session);
  const { claim, epoch } = session;
  const outcome = { task_id, fence, ...read };
  return stay(
    { ...session, taskRequests: session.taskRequests.filter((other) => other !== request) },
    command({
      name: "finish_task",
      input: { peerId: claim.peerId, epoch, outcome, forPeer: true },
    }),
  );
};
