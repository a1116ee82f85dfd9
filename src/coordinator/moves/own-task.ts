import { ok } from "../../base/result.ts";
import { afterAssignment, notFound, type Handler } from "../kernel/handler.ts";
import { cancelTask } from "../tasks/attempts.ts";
import { retryTask } from "../tasks/retry-task.ts";
import { visibleTask } from "../tasks/submit.ts";
import { shownTo } from "../tasks/task-view.ts";

/** The home of a peer has checked its session, and asks for one of its tasks that is here. */
export const ownTask: Handler<"own_task"> = (context, { act, id, owner, options }) => {
  if (visibleTask(context, id, owner) === null) return notFound("task with this ID");
  switch (act) {
    case "show":
      return ok(shownTo(context, owner, id));
    case "cancel": {
      const cancelled = cancelTask(context, { id, visibleTo: owner });
      return cancelled.ok ? ok(shownTo(context, owner, id)) : cancelled;
    }
    case "retry": {
      const retried = retryTask(context, { ...options, id, visibleTo: owner });
      return retried.ok ? afterAssignment(() => shownTo(context, owner, id)) : retried;
    }
    default:
      return act satisfies never;
  }
};

export const findTask: Handler<"find_task"> = ({ registry }, { id }) => {
  if (registry.tasks.get(id) !== null) return ok({ cell: null });
  const forward = registry.taskForwards.get(id);
  if (forward === null) return notFound("task with this ID");
  const { cell, seq } = forward;
  return ok({ cell, moving: registry.cellMessages.waits(cell, seq) });
};
