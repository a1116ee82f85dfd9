import { ok } from "../../base/result.ts";
import type { Handler } from "../kernel/handler.ts";
import { readSequence } from "../kernel/paging.ts";
import { taskSummary } from "./views.ts";

export const listTasks: Handler<"list_tasks"> = (
  { registry },
  {
    limit,
    cursor,
    state,
    kind,
    source,
    owner,
    peer_id: peerId,
    created_after,
    created_before,
    visibleTo,
  },
) => {
  const before = readSequence(cursor);
  if (!before.ok) return before;
  const tasks = registry.tasks.list({
    limit: limit + 1,
    before: before.value,
    state,
    kind,
    source,
    peerId,
    createdAfter: created_after === undefined ? undefined : Date.parse(created_after),
    createdBefore: created_before === undefined ? undefined : Date.parse(created_before),
    owner,
    visibleTo,
  });
  const page = tasks.slice(0, limit);
  const last = page.at(-1);
  return ok({
    tasks: page.map(taskSummary),
    next_cursor: tasks.length > limit && last !== undefined ? String(last.seq) : null,
  });
};
