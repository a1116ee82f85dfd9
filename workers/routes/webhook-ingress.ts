import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import type { Bytes } from "../../src/base/bytes.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { platformRandom } from "../../src/crypto/primitives.ts";
import { WEBHOOK_BODY_BYTES_MAX } from "../../src/protocol/constants.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import { ChallengeView, DeliveryView } from "../../src/protocol/http.ts";
import { Slug } from "../../src/protocol/ids.ts";
import {
  challengeOf,
  judge,
  readEvent,
  sealDelivery,
  verifyDelivery,
} from "../../src/webhooks/index.ts";
import type { AppContext, AppEnv } from "../context.ts";
import { outcomeView } from "../webhook-outcome.ts";
import { openSource } from "../webhook-source-secrets.ts";
import { limit } from "../middleware.ts";
import { respond } from "../problem.ts";
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
    200: jsonOf(ChallengeView, "Slack asked whether the address answers"),
    202: jsonOf(
      DeliveryView,
      "The task that it became, now or at its first delivery; or the filter that left it out",
    ),
    ...failuresOfDelivery,
  },
});

export function deliveryRoutes(app: OpenAPIHono<AppEnv>): void {
  // Not `app.openapi`: its validator would read the body as JSON, and what is signed is the bytes.
  app.openAPIRegistry.registerPath(deliver);
  app.post("/v1/webhooks/:name", limit(WEBHOOK_BODY_BYTES_MAX), async (c) => {
    const delivered = await take(c, c.req.param("name"), new Uint8Array(await c.req.arrayBuffer()));
    return respond(c, delivered, (taken) =>
      "challenge" in taken ? c.json(taken, 200) : c.json(taken, 202),
    );
  });
}

/** Checks the signature over the raw bytes, judges the event, and hands it on under what was signed of its identity. */
async function take(
  c: AppContext,
  name: string,
  body: Bytes,
): Promise<Result<DeliveryView | z.infer<typeof ChallengeView>, MusterError>> {
  const { coordinator, config } = c.var;
  const source = await openSource(c, name);
  if (!source.ok) return source;
  const { headers } = c.req.raw;
  const { secrets, scheme } = source.value;
  const verified = verifyDelivery(source.value, { secrets, headers, body, now: Date.now() });
  if (!verified.ok) return verified;
  const event = readEvent(scheme, body);
  const challenge = scheme === "slack" && event.ok ? challengeOf(event.value) : null;
  if (challenge !== null) return ok({ challenge });
  const taken = await coordinator.call("take_delivery", {
    source: name,
    deliveryId: verified.value.deliveryId,
    bytes: body.length,
    sealed: sealDelivery(
      { signingKey: config.signingKey, name, random: platformRandom },
      headers,
      body,
    ),
    verdict: event.ok
      ? judge(source.value, headers, event.value)
      : { outcome: "unmapped", reason: event.error },
    replay: null,
  });
  return taken.ok ? outcomeView(taken.value) : taken;
}
