import { z } from "@hono/zod-openapi";
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
import type { AppContext } from "../context.ts";
import { outcomeView } from "../webhook-outcome.ts";
import { openSource } from "../webhook-source-secrets.ts";
import { limitBody } from "../middleware.ts";
import { respond } from "../problem.ts";
import { jsonOf } from "../responses.ts";
import { defineRawRoute, type Router } from "../route.ts";

const deliver = defineRawRoute({
  scope: "signature",
  method: "post",
  path: "/v1/webhooks/{name}",
  summary: "Deliver an event; its signature authorizes it",
  tags: ["webhooks"],
  middleware: limitBody(WEBHOOK_BODY_BYTES_MAX),
  // Raw: the signature covers the body's bytes, which a JSON validator would not keep.
  request: {
    params: z.object({ name: Slug }),
    body: { required: true, content: { "application/json": { schema: z.unknown() } } },
  },
  responses: {
    200: jsonOf(ChallengeView, "The answer to Slack's check of the address"),
    202: jsonOf(
      DeliveryView,
      "The task that the event became, now or at its first delivery; or the filter that excluded it",
    ),
  },
  failures: ["not_found", "too_large", "queue_full", "bad_signature", "event_unmapped"],
});

export function webhookIngressRoutes(router: Router): void {
  router.rawRoute(deliver, async (c) => {
    const body = new Uint8Array(await c.req.arrayBuffer());
    const delivered = await receiveDelivery(c, c.req.param("name") ?? "", body);
    return respond(c, delivered, (outcome) =>
      "challenge" in outcome ? c.json(outcome, 200) : c.json(outcome, 202),
    );
  });
}

/** Verifies the signature over the raw bytes, maps the event to a task, and submits it under the ID that the signature covers. */
async function receiveDelivery(
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
