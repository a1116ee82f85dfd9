import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { fromBase64, fromUtf8, type Bytes } from "../../src/base/bytes.ts";
import { parseJson } from "../../src/base/json.ts";
import { err } from "../../src/base/result.ts";
import { WEBHOOK_BODY_BYTES_MAX } from "../../src/protocol/constants.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { DeliveryView } from "../../src/protocol/http.ts";
import { Slug } from "../../src/protocol/ids.ts";
import { openSecret, storageKey, taskOf, verifyDelivery } from "../../src/webhooks/index.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { limit } from "../middleware.ts";
import { answer } from "../problem.ts";
import { failuresOfDelivery, jsonOf } from "../responses.ts";

const deliver = createRoute({
  method: "post",
  path: "/v1/webhooks/{name}",
  summary: "Deliver an event; its signature is what authorises it",
  tags: ["webhooks"],
  request: {
    params: z.object({ name: Slug }),
    body: { required: true, content: { "application/json": { schema: z.unknown() } } },
  },
  responses: {
    202: jsonOf(DeliveryView, "The task that it became, now or at its first delivery"),
    ...failuresOfDelivery,
  },
});

export function deliveryRoutes(app: OpenAPIHono<AppEnv>): void {
  // Not `app.openapi`: its validator would read the body as JSON, and what is signed is the bytes.
  app.openAPIRegistry.registerPath(deliver);
  app.post("/v1/webhooks/:name", limit(WEBHOOK_BODY_BYTES_MAX), async (c) => {
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
    owner: "admin",
    source: `webhook:${name}`,
    idempotency: { scope: `webhook:${name}`, key: verified.value.deliveryId },
  });
}

const noSource = err<MusterError>({
  code: "not_found",
  detail: "there is no webhook source of this name",
});
