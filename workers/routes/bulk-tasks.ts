import {
  BulkView,
  CancelTasks,
  FailuresQuery,
  FailuresView,
  RetryTasks,
} from "../../src/protocol/http.ts";
import { forward, visibleTo } from "../forward.ts";
import { bodyOf, jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("tasks", {});

const PIECE = jsonOf(BulkView, "What was done, or would be done; and where the next piece begins");
const cancel = define("work", "post", "/v1/tasks/cancel", {
  operationId: "cancelTasks",
  summary:
    "Cancel tasks that have not ended, by ID or filter, a bounded number at once: repeat the request with `next_cursor`",
  request: { body: bodyOf(CancelTasks, { filter: { kind: "sha256" }, dry_run: true }) },
  responses: { 200: PIECE },
});
const retry = define("work", "post", "/v1/tasks/retry", {
  operationId: "retryTasks",
  summary:
    "Put tasks that ended without success back into the queue, by ID or filter, a bounded number at once: repeat the request with `next_cursor`. Without `state` a filter does not concern cancelled tasks",
  request: { body: bodyOf(RetryTasks, { filter: { kind: "sha256" }, dry_run: true }) },
  responses: { 200: PIECE },
  failures: ["queue_full", "storage_full"],
});
const failures = define("read_work", "get", "/v1/tasks/failures", {
  operationId: "listTaskFailures",
  summary: "Group the newest failed and expired tasks by kind and reason",
  request: { query: FailuresQuery },
  responses: { 200: jsonOf(FailuresView, "The groups, the largest first") },
});

/** Before `taskRoutes`: these paths have a word where those have the ID of a task. */
export function bulkTaskRoutes(router: Router): void {
  router.route(failures, (c) =>
    forward(c, "list_failures", { ...c.req.valid("query"), visibleTo: visibleTo(c) }),
  );
  router.route(cancel, (c) => {
    const { dry_run: dryRun, ...body } = c.req.valid("json");
    const input = { ...body, visibleTo: visibleTo(c) };
    return dryRun
      ? forward(c, "preview_tasks", { act: "cancel", ...input })
      : forward(c, "cancel_tasks", input);
  });
  router.route(retry, (c) => {
    const { dry_run: dryRun, ...body } = c.req.valid("json");
    const input = { ...body, visibleTo: visibleTo(c) };
    return dryRun
      ? forward(c, "preview_tasks", { act: "retry", ...input })
      : forward(c, "retry_tasks", input);
  });
}
