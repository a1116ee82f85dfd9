import type { SessionCommand } from "../../contract/commands.ts";
import { readTrace } from "../../protocol/trace-context.ts";
import { errorReply } from "../messages.ts";
import { command, stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/**
 * A controller assigns tasks, queries, recalls and retries its own; the coordinator checks whether it may. Only over muster.2: go-p2p
 * 1.0 has no forward secrecy, so an attacker with a leaked key could read and replay what was assigned before.
 */
export const handleTaskAssign = controllerHandler<"task_assign">(
  ({ task, idempotency_key, ...headers }, from) => ({
    name: "assign_task",
    input: { ...from, task, key: idempotency_key ?? null, trace: readTrace(headers) },
  }),
);

export const handleTaskQuery = controllerHandler<"task_query">(({ task_id: id }, from) => ({
  name: "query_task",
  input: { ...from, id },
}));

export const handleTaskRecall = controllerHandler<"task_recall">(({ task_id: id }, from) => ({
  name: "recall_task",
  input: { ...from, id },
}));

export const handleTaskRetry = controllerHandler<"task_retry">(
  ({ task_id: id, ...options }, from) => ({
    name: "retry_own_task",
    input: { ...from, ...options, id },
  }),
);

type ControllerMessage = "task_assign" | "task_query" | "task_recall" | "task_retry";

function controllerHandler<T extends ControllerMessage>(
  read: (
    payload: Parameters<Handler<T>>[1]["payload"],
    from: { readonly peerId: string; readonly epoch: number },
  ) => SessionCommand,
): Handler<T> {
  return (session, { id, payload }, context) => {
    const { claim, channel, epoch } = session;
    if (channel.protocol !== "muster/2") {
      const fault = {
        code: "not_permitted",
        detail: "controllers may send task messages only over muster.2",
      } as const;
      return stay(session, errorReply(context, session, fault, id));
    }
    return stay(session, command(read(payload, { peerId: claim.peerId, epoch }), id));
  };
}
