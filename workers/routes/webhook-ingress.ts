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
  readEvent,
  sealDelivery,
  verdictOf,
  verifyDelivery,
} from "../../src/webhooks/index.ts";
import type { AppContext } from "../context.ts";
import { submitDelivery } from "../submit-delivery.ts";
import { limitBody } from "../middleware.ts";
import { respond } from "../problem.ts";
import { jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { defineRaw } = routesTagged("webhooks", { name: Slug });

const deliver = defineRaw("signature", "post", "/v1/webhooks/{name}", {
  summary: "Deliver an event; its signature authorizes it",
  middleware: limitBody(WEBHOOK_BODY_BYTES_MAX),
  // Raw: the signature covers the body's bytes, which a JSON validator would not keep.
  request: {
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
const receiveDelivery = (
  c: AppContext,
  name: string,
  body: Bytes,
): Promise<Result<DeliveryView | ChallengeView, MusterError>> =>
  submitDelivery<ChallengeView>(c, name, (source) => {
    const { secrets, scheme } = source;
    const { headers } = c.req.raw;
    const verified = verifyDelivery(source, { secrets, headers, body, now: Date.now() });
    if (!verified.ok) return verified;
    const event = readEvent(scheme, body);
    const challenge = scheme === "slack" && event.ok ? challengeOf(event.value) : null;
    if (challenge !== null) return ok({ challenge });
    const sealing = { signingKey: c.var.config.signingKey, name, random: platformRandom };
    return ok({
      deliveryId: verified.value.deliveryId,
      bytes: body.length,
      sealed: sealDelivery(sealing, headers, body),
      verdict: verdictOf(source, headers, body),
      replay: null,
    });
  });
