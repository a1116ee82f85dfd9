import type { SessionCommand } from "../../contract/commands.ts";
import { errorReply } from "../messages.ts";
import { command, stay } from "../moves.ts";
import type { Handler } from "./handler.ts";

/**
 * A controller gives tasks, asks after its own and takes them back; the coordinator knows whether it may. Over muster.2
 * alone: who gets hold of a key must not read and repeat in go-p2p 1.0 what was asked before.
 */
export const handleTaskAssign = order<"task_assign">(({ task, idempotency_key }, from) => ({
  name: "assign_task",
  input: { ...from, task, key: idempotency_key ?? null },
}));

export const handleTaskQuery = order<"task_query">(({ task_id: id }, from) => ({
  name: "query_task",
  input: { ...from, id },
}));

export const handleTaskRecall = order<"task_recall">(({ task_id: id }, from) => ({
  name: "recall_task",
  input: { ...from, id },
}));

type Orders = "task_assign" | "task_query" | "task_recall";

function order<T extends Orders>(
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
        detail: "tasks are given over muster.2 alone",
      } as const;
      return stay(session, errorReply(context, session, fault, id));
    }
    return stay(session, command(read(payload, { peerId: claim.peerId, epoch }), id));
  };
}
