import {
  CallbackSecretBody,
  CallbackSecretView,
  RotateCallbackSecretBody,
  TaskView,
} from "../../src/protocol/http.ts";
import { Uuid } from "../../src/protocol/ids.ts";
import type { CallbackSecretInput } from "../../src/contract/webhooks.ts";
import type { AppContext } from "../context.ts";
import { forwardTask } from "../exact-json.ts";
import { forward, visibleTo } from "../forward.ts";
import { bodyOf, jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define } = routesTagged("tasks", { id: Uuid });

const secret = define("work", "get", "/v1/callback-secret", {
  operationId: "getCallbackSecret",
  summary: "Show the secret that signs callbacks of an owner's tasks to the origin of a URL",
  request: { query: CallbackSecretBody },
  responses: { 200: jsonOf(CallbackSecretView, "The secret") },
  failures: ["not_found"],
});
const rotate = define("work", "post", "/v1/callback-secret/rotate", {
  operationId: "rotateCallbackSecret",
  summary: "Replace the secret of callbacks to an origin; the one before signs, too, for a while",
  request: { body: bodyOf(RotateCallbackSecretBody, { url: "https://receiver.example/done" }) },
  responses: { 200: jsonOf(CallbackSecretView, "The new secret, and the one before") },
  failures: ["not_found", "conflict"],
});
const endPrevious = define("work", "post", "/v1/callback-secret/end-previous", {
  operationId: "endPreviousCallbackSecret",
  summary: "Let only the current secret of callbacks to an origin sign from now on",
  request: { body: bodyOf(CallbackSecretBody, { url: "https://receiver.example/done" }) },
  responses: { 200: jsonOf(CallbackSecretView, "The secret") },
  failures: ["not_found"],
});
const repeat = define("work", "post", "/v1/tasks/{id}/callback", {
  operationId: "repeatCallback",
  summary: "Deliver a task's callback again, after it was delivered or has failed",
  responses: { 202: jsonOf(TaskView, "The callback is scheduled again") },
  failures: ["not_found", "conflict"],
});

export function callbackRoutes(router: Router): void {
  router.route(secret, (c) => forward(c, "get_callback_secret", ownedBy(c, c.req.valid("query"))));
  router.route(rotate, (c) => {
    const { overlap_seconds: overlapSeconds, ...of } = c.req.valid("json");
    return forward(c, "rotate_callback_secret", { ...ownedBy(c, of), overlapSeconds });
  });
  router.route(endPrevious, (c) =>
    forward(c, "end_previous_callback_secret", ownedBy(c, c.req.valid("json"))),
  );
  router.route(repeat, (c) =>
    forwardTask(c, "repeat_callback", { ...c.req.valid("param"), visibleTo: visibleTo(c) }, 202),
  );
}

const ownedBy = (
  c: AppContext,
  { url, owner }: { readonly url: string; readonly owner?: string | undefined },
): CallbackSecretInput => ({
  url,
  owner: owner ?? c.var.caller.id,
  visibleTo: visibleTo(c),
});
