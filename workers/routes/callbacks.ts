import { CallbackSecretView, TaskView } from "../../src/protocol/http.ts";
import { Uuid } from "../../src/protocol/ids.ts";
import { ownerSecret } from "../../src/webhooks/index.ts";
import { forward, visibleTo } from "../forward.ts";
import { jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("tasks", { id: Uuid });

const secret = define("work", "get", "/v1/callback-secret", {
  summary: "Show the secret that signs the callbacks of this token's tasks",
  responses: { 200: jsonOf(CallbackSecretView, "The secret") },
});
const repeat = define("work", "post", "/v1/tasks/{id}/callback", {
  summary: "Deliver a task's callback again, after it was delivered or has failed",
  responses: { 202: jsonOf(TaskView, "The callback is scheduled again") },
  failures: ["not_found", "conflict"],
});

export function callbackRoutes(router: Router): void {
  router.route(secret, (c) => {
    const { callbackKey } = c.var.config.coordinator;
    return c.json({ secret: ownerSecret(callbackKey, c.var.caller.id) }, 200);
  });
  router.route(repeat, (c) =>
    forward(c, "repeat_callback", { ...c.req.valid("param"), visibleTo: visibleTo(c) }, 202),
  );
}
