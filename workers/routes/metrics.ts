import { z } from "@hono/zod-openapi";
import type { Output } from "../../src/contract/commands.ts";
import type { Result } from "../../src/base/result.ts";
import { CONTENT_TYPES, formatFor, metricsText } from "../../src/metrics/text.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import type { AppContext } from "../context.ts";
import { diskShortage } from "../disk-shortage.ts";
import { respond } from "../problem.ts";
import { routesTagged, type Router } from "../route.ts";

const { defineRaw } = routesTagged("mesh", {});

const text = { schema: z.string() };

const metrics = defineRaw("read_metrics", "get", "/metrics", {
  operationId: "getMetrics",
  summary:
    "Show the metrics of the mesh for Prometheus, in OpenMetrics if the request accepts it, else in the older text format",
  responses: {
    200: {
      description: "The metrics",
      content: { "application/openmetrics-text": text, "text/plain": text },
    },
  },
});

export function metricRoutes(router: Router): void {
  router.rawRoute(metrics, async (c) => {
    const format = formatFor(c.req.header("Accept") ?? "");
    return respond(c, await collected(c), ({ metrics: snapshot }) =>
      c.body(metricsText(snapshot, format), 200, { "Content-Type": CONTENT_TYPES[format] }),
    );
  });
}

type Collected = Output<"collect_metrics">;

/** On a full disk nothing can be written, and the metrics are needed most. */
async function collected(c: AppContext): Promise<Result<Collected, MusterError>> {
  const { coordinator } = c.var;
  if ((await diskShortage(c.env.DISK)) === null) {
    const answer = await coordinator.call("collect_metrics", {});
    if (answer.ok || answer.error.code !== "storage_full") return answer;
  }
  return coordinator.call("read_metrics", {});
}
