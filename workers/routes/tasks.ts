import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { visibleOwner } from "../../src/access/scope.ts";
import { ok } from "../../src/base/result.ts";
import { isEnded } from "../../src/tasks/task.ts";
import { BATCH_BODY_BYTES_MAX } from "../../src/protocol/constants.ts";
import {
  BatchView,
  SubmitBatch,
  SubmitTask,
  TaskList,
  TaskQuery,
  TaskView,
  WaitQuery,
  WhyQuery,
  WhyView,
} from "../../src/protocol/http.ts";
import { Uuid } from "../../src/protocol/ids.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { IdempotencyKey } from "../idempotency-key.ts";
import { takesJson, takesJsonUpTo } from "../middleware.ts";
import { respond } from "../problem.ts";
import {
  bodyOf,
  conflict,
  failures,
  failuresOfBody,
  failuresOfOne,
  failuresOfTask,
  jsonOf,
  security,
} from "../responses.ts";

const tags = ["tasks"];
const params = z.object({ id: Uuid });

const submit = createRoute({
  method: "post",
  path: "/v1/tasks",
  summary: "Give a task; once this answers, the task is never lost",
  tags,
  security,
  middleware: takesJson,
  request: { headers: IdempotencyKey, body: bodyOf(SubmitTask) },
  responses: {
    202: { ...jsonOf(TaskView, "Accepted"), headers: z.object({ location: z.string() }) },
    ...failuresOfTask,
  },
});
const batch = createRoute({
  method: "post",
  path: "/v1/task-batches",
  summary: "Give up to 100 tasks; each has its own outcome, in the order of the request",
  tags,
  security,
  middleware: takesJsonUpTo(BATCH_BODY_BYTES_MAX),
  request: { headers: IdempotencyKey, body: bodyOf(SubmitBatch) },
  responses: { 200: jsonOf(BatchView, "What became of each task"), ...failuresOfBody },
});
const list = createRoute({
  method: "get",
  path: "/v1/tasks",
  summary: "List tasks, newest first, without payloads and results",
  tags,
  security,
  request: { query: TaskQuery },
  responses: { 200: jsonOf(TaskList, "One page of tasks"), ...failures },
});
const get = createRoute({
  method: "get",
  path: "/v1/tasks/{id}",
  summary: "Show one task, at once or when it has ended",
  tags,
  security,
  request: { params, query: WaitQuery },
  responses: { 200: jsonOf(TaskView, "The task"), ...failuresOfOne },
});
const why = createRoute({
  method: "get",
  path: "/v1/tasks/{id}/why",
  summary: "Show why a task went to its peer, or why it waits",
  tags,
  security,
  request: { params, query: WhyQuery },
  responses: {
    200: jsonOf(WhyView, "The candidates, what each was expected to cost, who was ruled out"),
    ...failuresOfOne,
  },
});
const cancel = createRoute({
  method: "delete",
  path: "/v1/tasks/{id}",
  summary: "Cancel a task that has not ended; a peer that works on it is told to stop",
  tags,
  security,
  request: { params },
  responses: { 200: jsonOf(TaskView, "The task, cancelled"), ...failuresOfOne, ...conflict },
});

export function taskRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(batch, async (c) =>
    respond(
      c,
      await c.get("coordinator").call("submit_batch", {
        tasks: c.req.valid("json").tasks,
        source: "api",
        owner: c.get("caller").id,
        idempotency: idempotencyOf(c, c.req.valid("header")["idempotency-key"]),
      }),
      (outcomes) => c.json(outcomes, 200),
    ),
  );
  app.openapi(submit, async (c) => {
    const submitted = await c.get("coordinator").call("submit_task", {
      task: c.req.valid("json"),
      source: "api",
      owner: c.get("caller").id,
      idempotency: idempotencyOf(c, c.req.valid("header")["idempotency-key"]),
    });
    return respond(c, submitted, ({ task }) => {
      c.header("Location", `/v1/tasks/${task.id}`);
      return c.json(task, 202);
    });
  });
  app.openapi(list, async (c) =>
    respond(
      c,
      await c
        .get("coordinator")
        .call("list_tasks", { ...c.req.valid("query"), visibleTo: visibleOwner(c.get("caller")) }),
      (tasks) => c.json(tasks, 200),
    ),
  );
  app.openapi(get, async (c) => {
    const task = await taskOrItsEnd(c, c.req.valid("param").id, c.req.valid("query").wait ?? 0);
    return respond(c, task, (shown) => c.json(shown, 200));
  });
  app.openapi(why, async (c) =>
    respond(
      c,
      await c.get("coordinator").call("why_task", {
        ...c.req.valid("param"),
        ...c.req.valid("query"),
        visibleTo: visibleOwner(c.get("caller")),
      }),
      (shown) => c.json(shown, 200),
    ),
  );
  app.openapi(cancel, async (c) =>
    respond(
      c,
      await c
        .get("coordinator")
        .call("cancel_task", { ...c.req.valid("param"), visibleTo: visibleOwner(c.get("caller")) }),
      (task) => c.json(task, 200),
    ),
  );
}

/** Keys of different callers never meet. */
const idempotencyOf = (c: AppContext, key: string | undefined) =>
  key === undefined ? null : { scope: `api:${c.get("caller").id}`, key };

/** The task now, or once it has ended, but after `seconds` at the latest. */
async function taskOrItsEnd(c: AppContext, id: string, seconds: number) {
  const coordinator = c.get("coordinator");
  const now = await coordinator.call("get_task", { id, visibleTo: visibleOwner(c.get("caller")) });
  if (!now.ok || seconds === 0 || isEnded(now.value.state)) return now;
  try {
    await coordinator.awaitTaskEnd(id, seconds * 1_000);
  } catch (thrown) {
    // The coordinator restarted: what was known a moment ago is still a true answer, and the caller asks again.
    console.error("waiting for a task failed", { error: String(thrown) });
    return ok(now.value);
  }
  return coordinator.call("get_task", { id, visibleTo: visibleOwner(c.get("caller")) });
}
