import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { visibleOwner } from "../../src/access/scope.ts";
import { CallbackSecretView, TaskView } from "../../src/protocol/http.ts";
import { Uuid } from "../../src/protocol/ids.ts";
import { ownerSecret } from "../../src/webhooks/index.ts";
import type { AppEnv } from "../context.ts";
import { respond } from "../problem.ts";
import { conflict, failures, failuresOfOne, jsonOf, security } from "../responses.ts";

const tags = ["tasks"];

const secret = createRoute({
  method: "get",
  path: "/v1/callback-secret",
  summary: "Show the secret that signs the callbacks of the tasks that this token gives",
  tags,
  security,
  responses: { 200: jsonOf(CallbackSecretView, "The secret"), ...failures },
});
const repeat = createRoute({
  method: "post",
  path: "/v1/tasks/{id}/callback",
  summary: "Deliver a task's callback again, that was given up or delivered",
  tags,
  security,
  request: { params: z.object({ id: Uuid }) },
  responses: { 202: jsonOf(TaskView, "It is owed again"), ...failuresOfOne, ...conflict },
});

export function callbackRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(secret, (c) => {
    const { callbackKey } = c.get("config").coordinator;
    return c.json({ secret: ownerSecret(callbackKey, c.get("caller").id) }, 200);
  });
  app.openapi(repeat, async (c) =>
    respond(
      c,
      await c.get("coordinator").call("repeat_callback", {
        ...c.req.valid("param"),
        visibleTo: visibleOwner(c.get("caller")),
      }),
      (task) => c.json(task, 202),
    ),
  );
}
