import { z } from "@hono/zod-openapi";
import { BATCH_BODY_BYTES_MAX, DEPLOY_BODY_BYTES_MAX } from "../../src/protocol/constants.ts";
import { EACH, ExactMembers } from "../../src/base/json-text/read-json.ts";
import {
  BatchView,
  RetryTask,
  SubmitBatch,
  SubmitTask,
  TaskList,
  TaskQuery,
  TaskTraceView,
  TaskView,
  WaitQuery,
  WhyQuery,
  WhyView,
} from "../../src/protocol/http.ts";
import { Uuid } from "../../src/protocol/ids.ts";
import { isEnded } from "../../src/tasks/task.ts";
import type { AppContext } from "../context.ts";
import { forwardTask, sendTask } from "../exact-json.ts";
import { forward, visibleTo } from "../forward.ts";
import { IdempotencyKey } from "../idempotency-key.ts";
import { respond } from "../problem.ts";
import { bodyOf, jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";
import { TraceHeaders, traceOf } from "../trace-headers.ts";

const { define } = routesTagged("tasks", { id: Uuid });

const Submission = IdempotencyKey.extend(TraceHeaders.shape);

const submit = define("work", "post", "/v1/tasks", {
  operationId: "submitTask",
  summary:
    "Submit a task; once this answers, the task is stored durably. With `wait` it answers once the task has ended",
  bodyBytesMax: DEPLOY_BODY_BYTES_MAX,
  exactMembers: new ExactMembers(["payload"]),
  request: {
    headers: Submission,
    query: WaitQuery,
    body: bodyOf(SubmitTask, { kind: "sha256", payload: { file: "a.txt" } }),
  },
  responses: {
    200: {
      ...jsonOf(TaskView, "The task has ended"),
      headers: z.object({ location: z.string() }),
    },
    202: { ...jsonOf(TaskView, "Accepted"), headers: z.object({ location: z.string() }) },
  },
  failures: ["unusable_key", "queue_full", "storage_full", "key_reused"],
});
const batch = define("work", "post", "/v1/task-batches", {
  operationId: "submitTaskBatch",
  summary: "Submit up to 100 tasks; each has its own outcome, in the order of the request",
  bodyBytesMax: BATCH_BODY_BYTES_MAX,
  exactMembers: new ExactMembers(["tasks", EACH, "payload"]),
  request: {
    headers: Submission,
    body: bodyOf(SubmitBatch, { tasks: [{ kind: "sha256", payload: { file: "a.txt" } }] }),
  },
  responses: { 200: jsonOf(BatchView, "The outcome of each task") },
  failures: ["unusable_key"],
});
const list = define("read_work", "get", "/v1/tasks", {
  operationId: "listTasks",
  summary: "List tasks, newest first, without payloads and results",
  request: { query: TaskQuery },
  responses: { 200: jsonOf(TaskList, "One page of tasks") },
});
const get = define("read_work", "get", "/v1/tasks/{id}", {
  operationId: "getTask",
  summary: "Show one task, now or, with `wait`, once it has ended",
  request: { query: WaitQuery },
  responses: { 200: jsonOf(TaskView, "The task") },
});
const why = define("read_work", "get", "/v1/tasks/{id}/why", {
  operationId: "explainTask",
  summary: "Explain why a task was assigned to its peer, or why it is still queued",
  request: { query: WhyQuery },
  responses: {
    200: jsonOf(
      WhyView,
      "The candidates with their expected costs, and the peers that were excluded",
    ),
  },
});
const trace = define("read_work", "get", "/v1/tasks/{id}/trace", {
  operationId: "traceTask",
  summary:
    "Show the timeline of a task: its waits in the queue, attempts, upload and callback, as spans",
  responses: {
    200: jsonOf(TaskTraceView, "The spans, which have no payload, result or error text"),
  },
});
const cancel = define("work", "delete", "/v1/tasks/{id}", {
  operationId: "cancelTask",
  summary: "Cancel a task that has not ended; a peer that runs it receives a cancel message",
  responses: { 200: jsonOf(TaskView, "The cancelled task") },
  failures: ["task_ended"],
});
const retry = define("work", "post", "/v1/tasks/{id}/retry", {
  operationId: "retryTask",
  summary:
    "Put a task that failed, expired or was cancelled back into the queue; a task that has not ended is left as it is",
  request: { body: bodyOf(RetryTask, { max_attempts: 3 }) },
  responses: { 200: jsonOf(TaskView, "The task") },
  failures: ["not_found", "task_ended", "payload_dropped", "queue_full", "storage_full"],
});

export function taskRoutes(router: Router): void {
  router.route(batch, (c) =>
    forward(c, "submit_batch", {
      ...submission(c, c.req.valid("header")),
      tasks: c.req.valid("json").tasks,
    }),
  );
  router.route(submit, async (c) => {
    const { wait = 0 } = c.req.valid("query");
    const input = { ...submission(c, c.req.valid("header")), task: c.req.valid("json") };
    const submitted =
      wait === 0
        ? await c.var.coordinator.call("submit_task", input)
        : await c.var.coordinator.submitAndWait(input, wait * 1_000);
    return respond(c, submitted, ({ task }) => {
      c.header("Location", `/v1/tasks/${task.id}`);
      return isEnded(task.state) ? sendTask(c, task, 200) : sendTask(c, task, 202);
    });
  });
  router.route(list, (c) =>
    forward(c, "list_tasks", { ...c.req.valid("query"), visibleTo: visibleTo(c) }),
  );
  router.route(get, async (c) => {
    const task = await taskOnceEnded(c, c.req.valid("param").id, c.req.valid("query").wait ?? 0);
    return respond(c, task, (shown) => sendTask(c, shown, 200));
  });
  router.route(why, (c) => {
    const input = { ...c.req.valid("param"), ...c.req.valid("query") };
    return forward(c, "why_task", { ...input, visibleTo: visibleTo(c) });
  });
  router.route(trace, (c) =>
    forward(c, "trace_task", { ...c.req.valid("param"), visibleTo: visibleTo(c) }),
  );
  router.route(cancel, (c) =>
    forwardTask(c, "cancel_task", { ...c.req.valid("param"), visibleTo: visibleTo(c) }, 200),
  );
  router.route(retry, (c) => {
    const input = { ...c.req.valid("param"), ...c.req.valid("json") };
    return forwardTask(c, "retry_task", { ...input, visibleTo: visibleTo(c) }, 200);
  });
}

/** What every submission over HTTP states besides its tasks. Each caller's idempotency keys are a namespace of their own. */
const submission = (
  c: AppContext,
  { "idempotency-key": key }: { readonly "idempotency-key"?: string | undefined },
) => ({
  source: "api" as const,
  owner: c.var.caller.id,
  idempotency: key === undefined ? null : { scope: `api:${c.var.caller.id}`, key },
  trace: traceOf(c),
});

/** The task once it has ended, or as it is after `seconds`. */
async function taskOnceEnded(c: AppContext, id: string, seconds: number) {
  const { coordinator } = c.var;
  const input = { id, visibleTo: visibleTo(c) };
  if (seconds === 0) return coordinator.call("get_task", input);
  const ended = await coordinator.getOnceEnded(input, seconds * 1_000);
  // If the coordinator restarted meanwhile, the present state is a valid answer, and the caller repeats the request.
  return ended.ok || ended.error.code !== "unavailable"
    ? ended
    : coordinator.call("get_task", input);
}
