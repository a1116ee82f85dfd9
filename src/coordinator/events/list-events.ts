import { ok } from "../../base/result.ts";
import type { Handler } from "../kernel/handler.ts";
import { matches } from "./matches.ts";
import { markOf, toPosition } from "./position.ts";
import { startOf } from "./start.ts";
import { eventView } from "./view.ts";

/** Events that are looked at for one page: a filter that matches few of them gives a short page. */
const SCAN_MAX = 2_000;

export const listEvents: Handler<"list_events"> = (
  { registry, config, now },
  { filter, after, limit },
) => {
  const { events: log } = registry;
  log.follow(now);
  const mark = markOf(config.discovery.verifyingKey);
  const start = startOf(log, after ?? "oldest", mark);
  const found = [];
  let last = start.after;
  for (const logged of log.read(start.after, SCAN_MAX).events) {
    if (found.length === limit) break;
    last = logged.id;
    if (matches(filter, logged.event)) found.push(eventView(logged, mark));
  }
  return ok({
    events: found,
    gap: start.gap,
    next: toPosition(last, mark),
    more: last < (log.newest() ?? last),
  });
};
