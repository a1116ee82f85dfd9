import { toJsonText } from "../../src/base/json-text/json-text.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import {
  DeliveryList,
  DeliveryQuery,
  DeliveryView,
  DryRunView,
  RefusedList,
  ReplayQuery,
  WebhookSample,
} from "../../src/protocol/http.ts";
import { newOpaqueId, OpaqueId, Slug } from "../../src/protocol/ids.ts";
import { sendJson } from "../exact-json.ts";
import { forward } from "../forward.ts";
import { IdempotencyKey } from "../idempotency-key.ts";
import { respond } from "../problem.ts";
import { bodyOf, jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";
import { replayDelivery, dryRunSample } from "../webhook-replay.ts";

const { define } = routesTagged("webhooks", { name: Slug, id: OpaqueId });

const list = define("read", "get", "/v1/webhook-sources/{name}/deliveries", {
  operationId: "listWebhookDeliveries",
  summary: "List a source's recent deliveries and their outcomes, newest first",
  request: { query: DeliveryQuery },
  responses: { 200: jsonOf(DeliveryList, "One page of deliveries") },
});
const refused = define("read", "get", "/v1/webhook-sources/{name}/refused", {
  operationId: "listRefusedDeliveries",
  summary:
    "List a source's refused deliveries by reason, newest first: why, how often, and the newest of each without its body",
  responses: { 200: jsonOf(RefusedList, "At most 20 entries") },
});
const replay = define("administer", "post", "/v1/webhook-sources/{name}/deliveries/{id}/replay", {
  operationId: "replayWebhookDelivery",
  summary: "Process a recorded delivery again, with the source's current filters and mapping",
  request: { query: ReplayQuery, headers: IdempotencyKey },
  responses: { 202: jsonOf(DeliveryView, "The outcome") },
  failures: ["not_found", "too_large", "queue_full", "storage_full", "event_unmapped", "conflict"],
});
const test = define("administer", "post", "/v1/webhook-sources/{name}/test", {
  operationId: "testWebhookSource",
  summary: "Show which task a sample event would become, and why; nothing is stored",
  request: { body: bodyOf(WebhookSample, { body: '{"ref": "refs/heads/main"}' }) },
  responses: { 200: jsonOf(DryRunView, "The outcome that a delivery would have") },
  failures: ["not_found", "conflict"],
});

export function webhookDeliveryLogRoutes(router: Router): void {
  router.route(list, (c) => {
    const source = c.req.valid("param").name;
    return forward(c, "list_deliveries", { ...c.req.valid("query"), source });
  });
  router.route(refused, (c) => forward(c, "list_refused", { source: c.req.valid("param").name }));
  router.route(replay, async (c) => {
    const key = c.req.valid("header")["idempotency-key"] ?? newOpaqueId(platformRandom);
    const newTask = c.req.valid("query").new_task === "true" ? key : null;
    const replayed = await replayDelivery(c, { ...c.req.valid("param"), newTask });
    return respond(c, replayed, (outcome) => c.json(outcome, 202));
  });
  router.route(test, async (c) => {
    const shown = await dryRunSample(c, c.req.valid("param").name, c.req.valid("json"));
    return respond(c, shown, ({ task, ...dryRun }) => {
      const shownTask = task && { ...task, payload: toJsonText(task.payload) };
      return sendJson(c, { ...dryRun, task: shownTask }, 200);
    });
  });
}
