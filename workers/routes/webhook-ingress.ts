import { z } from "@hono/zod-openapi";
import { ChallengeView, DeliveryView, PingView } from "../../src/protocol/http.ts";
import { Slug } from "../../src/protocol/ids.ts";
import { respond } from "../problem.ts";
import { receiveDelivery } from "../receive-delivery.ts";
import { countRefusal } from "../refused-deliveries.ts";
import { jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { defineRaw } = routesTagged("webhooks", { name: Slug });

const deliver = defineRaw("signature", "post", "/v1/webhooks/{name}", {
  operationId: "deliverWebhook",
  summary: "Deliver an event; its signature authorizes it",
  acceptsAnyQuery: true,
  // Raw: the signature covers the body's bytes, which a JSON validator would not keep.
  request: {
    body: { required: true, content: { "application/json": { schema: z.unknown() } } },
  },
  responses: {
    200: jsonOf(
      z.union([ChallengeView, PingView]),
      "The answer to Slack's or GitHub's check of the address. Without a body: the answer to any other delivery of Slack, which would show it to the user",
    ),
    202: jsonOf(
      DeliveryView,
      "The task that the event became, now or at its first delivery; or the filter that excluded it",
    ),
  },
  failures: [
    "not_found",
    "too_large",
    "too_slow",
    "queue_full",
    "storage_full",
    "bad_signature",
    "event_unmapped",
    "too_many_deliveries",
  ],
});

export function webhookIngressRoutes(router: Router): void {
  router.rawRoute(deliver, async (c) => {
    const name = c.req.param("name") ?? "";
    const delivered = await receiveDelivery(c, name);
    if (!delivered.ok) countRefusal(c, name, delivered.error);
    return respond(c, delivered, (answer) => {
      if ("challenge" in answer) return c.json(answer, 200);
      if (answer.isPing) return c.json<PingView>({ ping: true }, 200);
      // Slack shows the body of an answer to whoever used the command.
      if (answer.scheme === "slack") return c.body(null, 200);
      return c.json<DeliveryView>(answer.view, 202);
    });
  });
}
