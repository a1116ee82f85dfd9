import { ok } from "../../base/result.ts";
import { cursorOf } from "../../protocol/list-cursor.ts";
import type { Handler } from "../kernel/handler.ts";
import { placeBefore, placedPage, readSequence } from "../kernel/paging.ts";
import { taskSummary } from "./views.ts";

export const listTasks: Handler<"list_tasks"> = (
  { registry },
  {
    limit,
    cursor,
    after,
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
  const before = readSequence("tasks", cursor);
  if (!before.ok) return before;
  const filter = {
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
  };
  if (after !== undefined) {
    const begins = placeBefore(after, before.value, (seq) => registry.tasks.placeOf(seq));
    const found = registry.tasks.listBehind({ ...filter, before: undefined }, begins);
    const { items, paging } = placedPage({ limit, begins }, found, {
      place: ({ createdAt, id }) => ({ at: createdAt, id }),
      view: taskSummary,
    });
    return ok({ tasks: items, ...paging });
  }
  const tasks = registry.tasks.list(filter);
  const page = tasks.slice(0, limit);
  const last = page.at(-1);
  return ok({
    tasks: page.map(taskSummary),
    next_cursor:
      tasks.length > limit && last !== undefined ? cursorOf("tasks", String(last.seq)) : null,
  });
};
