import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { platformRandom } from "../../src/crypto/primitives.ts";
import {
  DeliveryList,
  DeliveryQuery,
  DeliveryView,
  DryRunView,
  ReplayQuery,
  WebhookSample,
} from "../../src/protocol/http.ts";
import { newOpaqueId, OpaqueId, Slug } from "../../src/protocol/ids.ts";
import type { AppEnv } from "../context.ts";
import { IdempotencyKey } from "../idempotency-key.ts";
import { replayDelivery, tryWebhook } from "../webhook-replay.ts";
import { takesJson } from "../middleware.ts";
import { respond } from "../problem.ts";
import {
  bodyOf,
  conflict,
  failuresOfBody,
  failuresOfOne,
  failuresOfReplay,
  jsonOf,
  security,
} from "../responses.ts";

const tags = ["webhooks"];
const ofSource = z.object({ name: Slug });
const ofDelivery = z.object({ name: Slug, id: OpaqueId });

const list = createRoute({
  method: "get",
  path: "/v1/webhook-sources/{name}/deliveries",
  summary: "List a source's recent deliveries, newest first, with what became of them",
  tags,
  security,
  request: { params: ofSource, query: DeliveryQuery },
  responses: { 200: jsonOf(DeliveryList, "One page of deliveries"), ...failuresOfOne },
});
const replay = createRoute({
  method: "post",
  path: "/v1/webhook-sources/{name}/deliveries/{id}/replay",
  summary: "Take a delivery once more, by the source's filters and mapping as they are now",
  tags,
  security,
  request: { params: ofDelivery, query: ReplayQuery, headers: IdempotencyKey },
  responses: { 202: jsonOf(DeliveryView, "What became of it"), ...failuresOfReplay, ...conflict },
});
const test = createRoute({
  method: "post",
  path: "/v1/webhook-sources/{name}/test",
  summary: "Show what a sample event would become, and why; nothing is stored",
  tags,
  security,
  middleware: takesJson,
  request: { params: ofSource, body: bodyOf(WebhookSample) },
  responses: {
    200: jsonOf(DryRunView, "What would happen"),
    ...failuresOfBody,
    ...failuresOfOne,
    ...conflict,
  },
});

export function webhookDeliveryRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(list, async (c) => {
    const source = c.req.valid("param").name;
    const query = c.req.valid("query");
    const listed = await c.get("coordinator").call("list_deliveries", { ...query, source });
    return respond(c, listed, (page) => c.json(page, 200));
  });
  app.openapi(replay, async (c) => {
    const key = c.req.valid("header")["idempotency-key"] ?? newOpaqueId(platformRandom);
    const newTask = c.req.valid("query").new_task === "true" ? key : null;
    const taken = await replayDelivery(c, { ...c.req.valid("param"), newTask });
    return respond(c, taken, (delivery) => c.json(delivery, 202));
  });
  app.openapi(test, async (c) => {
    const { name } = c.req.valid("param");
    const shown = await tryWebhook(c, name, c.req.valid("json"));
    return respond(c, shown, (dryRun) => c.json(dryRun, 200));
  });
}
