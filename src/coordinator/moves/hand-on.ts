import { ok } from "../../base/result.ts";
import type { Handler } from "../kernel/handler.ts";
import { mayLeaveFor, moveOf, send } from "./move-tasks.ts";
import { reasonOf } from "./offers.ts";

/**
 * A task with an idempotency key is accepted by the home of the key, whoever could take it. Its caller has named another cell where it begins
 * sooner, so it need not wait for the next look at what should move (`offers.ts`).
 */
export const handOnTask: Handler<"hand_on_task"> = (context, { id, to }) => {
  const { registry, now } = context;
  const task = registry.tasks.get(id);
  const isWaiting = task !== null && task.state === "queued" && task.notBefore <= now;
  const reason = isWaiting ? reasonOf(context, task, task)?.reason : undefined;
  if (reason !== "unable" && reason !== "full") return ok({ moved: 0 });
  const move = mayLeaveFor(context, to, reason) ? moveOf(context, id, reason) : null;
  if (move === null) return ok({ moved: 0 });
  send(context, to, [move]);
  return ok({ moved: 1 });
};
