import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { fromBase64, fromUtf8, toBase64, type Bytes } from "../../src/base/bytes.ts";
import { parseJson } from "../../src/base/json.ts";
import { err } from "../../src/base/result.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { DeliveryView, WebhookSourceBody, WebhookSourceView } from "../../src/protocol/http.ts";
import { Slug } from "../../src/protocol/ids.ts";
import {
  checkMapping,
  checkSecret,
  openSecret,
  sealSecret,
  storageKey,
  taskOf,
  verifyDelivery,
} from "../../src/webhooks/index.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { answer, problem } from "../problem.ts";
import { bodyOf, conflict, failures, failuresOfOne, jsonOf, security } from "../responses.ts";

const tags = ["webhooks"];
const params = z.object({ name: Slug });

const put = createRoute({
  method: "put",
  path: "/v1/webhook-sources/{name}",
  summary:
    "Register a source of webhooks, or change it: how it signs, and what task its events become",
  tags,
  security,
  request: { params, body: bodyOf(WebhookSourceBody) },
  responses: {
    200: jsonOf(WebhookSourceView, "The source, without its secret"),
    ...failures,
    ...conflict,
  },
});
const get = createRoute({
  method: "get",
  path: "/v1/webhook-sources/{name}",
  summary: "Show a source, without its secret",
  tags,
  security,
  request: { params },
  responses: { 200: jsonOf(WebhookSourceView, "The source"), ...failuresOfOne },
});
const remove = createRoute({
  method: "delete",
  path: "/v1/webhook-sources/{name}",
  summary: "Remove a source; its deliveries are refused from then on",
  tags,
  security,
  request: { params },
  responses: { 204: { description: "It is gone" }, ...failuresOfOne },
});
const deliver = createRoute({
  method: "post",
  path: "/v1/webhooks/{name}",
  summary: "Deliver an event; its signature is what authorises it",
  tags,
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: z.unknown() } } },
  },
  responses: {
    202: jsonOf(DeliveryView, "The task that it became, now or at its first delivery"),
    ...failuresOfOne,
  },
});

export function webhookRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(put, async (c) => {
    const { name } = c.req.valid("param");
    const { scheme, secret, task: mapping } = c.req.valid("json");
    for (const check of [checkSecret(scheme, secret), checkMapping(mapping)]) {
      if (!check.ok) return problem(c, check.error) as never;
    }
    const sealed = sealSecret(storageKey(c.get("config").signingKey, name), secret, platformRandom);
    const stored = await c
      .get("coordinator")
      .call("put_webhook_source", { name, scheme, sealedSecret: toBase64(sealed), mapping });
    return answer(c, stored, (source) => c.json(source, 200));
  });
  app.openapi(get, async (c) =>
    answer(
      c,
      await c.get("coordinator").call("get_webhook_source", c.req.valid("param")),
      (source) => c.json(source, 200),
    ),
  );
  app.openapi(remove, async (c) =>
    answer(c, await c.get("coordinator").call("remove_webhook_source", c.req.valid("param")), () =>
      c.body(null, 204),
    ),
  );
  // Not `app.openapi`: its validator would read the body as JSON, and what is signed is the bytes.
  app.openAPIRegistry.registerPath(deliver);
  app.post("/v1/webhooks/:name", async (c) => {
    const delivered = await take(c, c.req.param("name"), new Uint8Array(await c.req.arrayBuffer()));
    return answer(c, delivered, ({ task, duplicate }) =>
      c.json({ task_id: task.id, duplicate }, 202),
    );
  });
}

/** Checks the signature over the raw bytes, maps the event, and gives the task under what was signed of its identity. */
async function take(c: AppContext, name: string, body: Bytes) {
  const { coordinator, config } = c.var;
  if (!Slug.safeParse(name).success) return noSource;
  const source = await coordinator.call("open_webhook_source", { name });
  if (!source.ok) return source;
  const { scheme, sealedSecret, mapping } = source.value;
  const secret = openSecret(
    storageKey(config.signingKey, name),
    fromBase64(sealedSecret) ?? new Uint8Array(),
  );
  if (secret === null) {
    return err<MusterError>({
      code: "misconfigured",
      detail: "the source's secret does not open: register the source again",
    });
  }
  const verified = verifyDelivery(scheme, {
    secret,
    headers: c.req.raw.headers,
    body,
    now: Date.now(),
  });
  if (!verified.ok) return verified;
  const text = fromUtf8(body);
  const event = text === null ? undefined : parseJson(text);
  if (event === undefined) {
    return err<MusterError>({
      code: "event_unmapped",
      detail: "the body is not JSON, or nests too deep",
    });
  }
  const task = taskOf(mapping, event);
  if (!task.ok) return task;
  return coordinator.call("submit_task", {
    task: task.value,
    source: `webhook:${name}`,
    idempotency: { scope: `webhook:${name}`, key: verified.value.deliveryId },
  });
}

const noSource = err<MusterError>({
  code: "not_found",
  detail: "there is no webhook source of this name",
});
