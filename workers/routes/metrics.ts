import { z } from "@hono/zod-openapi";
import { COMMAND_CALLERS, type CommandName, type Output } from "../../src/contract/commands.ts";
import { TASK_CALLERS } from "../../src/contract/tasks.ts";
import type { Result } from "../../src/base/result.ts";
import { costsOf, type CommandCost } from "../../src/metrics/costs.ts";
import { withoutTotals } from "../../src/metrics/merge-snapshots.ts";
import { CONTENT_TYPES, formatFor, metricsText } from "../../src/metrics/text.ts";
import { CostsView } from "../../src/protocol/http.ts";
import type { MusterError } from "../../src/protocol/errors.ts";
import type { AppContext } from "../context.ts";
import { diskShortage } from "../../src/base/disk-shortage.ts";
import { respond } from "../problem.ts";
import { jsonOf } from "../responses.ts";
import { routesTagged, type Router } from "../route.ts";

const { define, defineRaw } = routesTagged("mesh", {});

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

const costs = define("read", "get", "/v1/costs", {
  operationId: "getCosts",
  summary: "Estimate what the mesh costs on Cloudflare, by list prices",
  responses: { 200: jsonOf(CostsView, "The estimate, and what is not in it") },
});

export function metricRoutes(router: Router): void {
  router.route(costs, async (c) => {
    // Only the host of a self-hosted mesh provides a disk.
    const billed = c.env.DISK === undefined;
    const read = await c.var.coordinator.call("read_metrics", {});
    return respond(c, read, ({ metrics: snapshot, missing = [] }) => {
      const estimate = costsOf(snapshot, costOfCommand, billed);
      const lacking = missing.map((cell) => `cell ${cell}, which does not answer`);
      return c.json({ ...estimate, not_included: [...estimate.not_included, ...lacking] }, 200);
    });
  });
  router.rawRoute(metrics, async (c) => {
    const format = formatFor(c.req.header("Accept") ?? "");
    return respond(c, await collected(c), ({ metrics: snapshot, missing = [] }) => {
      // Sums that lack a cell are smaller than those shown before, which whoever reads them takes for a restart from 0.
      const shown = missing.length === 0 ? snapshot : withoutTotals(snapshot);
      return c.body(metricsText(shown, format), 200, { "Content-Type": CONTENT_TYPES[format] });
    });
  });
}

/** What tasks cost has their submissions and all calls of sessions in it that are about tasks. */
function costOfCommand(command: string): CommandCost {
  if (!isCommand(command)) return "call";
  if (command in TASK_CALLERS && (TASK_COMMANDS.has(command) || caller(command) === "session"))
    return "in_task";
  return caller(command) === "gateway" && command !== "authenticate" ? "request" : "call";
}

const TASK_COMMANDS: ReadonlySet<string> = new Set(["submit_task", "enqueue_task", "submit_batch"]);
const caller = (command: CommandName) => COMMAND_CALLERS[command];
const isCommand = (command: string): command is CommandName =>
  Object.hasOwn(COMMAND_CALLERS, command);

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
