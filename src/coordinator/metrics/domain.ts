import { ok } from "../../base/result.ts";
import type { MetricCommands } from "../../contract/metrics.ts";
import { METRIC_NAMES, familyOf } from "../../metrics/catalog.ts";
import { withZeros, type MetricSnapshot, type NumberSample } from "../../metrics/snapshot.ts";
import { waitsFrom } from "../../tasks/queue-position.ts";
import type { Context } from "../kernel/context.ts";
import type { Domain } from "../kernel/domain.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { countRefusal } from "./command-counts.ts";
import { sampleCoordinator } from "./coordinator-samples.ts";
import { Gauges } from "./gauges.ts";
import { samplePeers } from "./peer-samples.ts";
import { QueueTotals, sampleTasks } from "./task-samples.ts";

const collectMetrics: Handler<"collect_metrics"> = (context) => {
  context.registry.metrics.flush();
  return ok({ metrics: snapshotOf(context) });
};

const readMetrics: Handler<"read_metrics"> = (context) => ok({ metrics: snapshotOf(context) });

/** The counters as far as they are written, and the gauges of this moment, in the order of the catalog. */
function snapshotOf(context: Context): MetricSnapshot {
  const { metrics } = context.registry;
  const gauges = new Gauges();
  samplePeers(context, gauges);
  sampleTasks(context, gauges);
  sampleCoordinator(context, gauges);
  const written = metrics.written();
  const kinds = metrics.kindLabels();
  return new Map(
    METRIC_NAMES.map((name) => {
      const samples = gauges.samples.get(name) ?? written.get(name) ?? [];
      const hasNumbers = familyOf(name).bounds === undefined;
      return [name, hasNumbers ? withZeros(name, samples as NumberSample[], kinds) : samples];
    }),
  );
}

const kindLoad: Handler<"kind_load"> = ({ registry: { tasks }, now }, { kind }) => {
  const queue = new QueueTotals();
  for (const shape of tasks.waiting.shapes())
    if (shape.kind === kind)
      for (const lane of tasks.waiting.lanes(shape, "queued"))
        for (const task of lane.tasks) queue.add(waitsFrom(task), task.notBefore, now);
  const running = tasks.running.ofKind(kind);
  const { waiting, scheduled } = queue;
  return ok({
    kind,
    waiting,
    scheduled,
    running,
    load: waiting + running,
    oldest_wait_seconds: queue.oldestWait(now),
  });
};

const countRefusals: Handler<"count_refusals"> = ({ registry }, { counts }) => {
  for (const [place, reason, count] of counts) countRefusal(registry, place, reason, count);
  return done;
};

export const metrics: Domain<MetricCommands> = {
  handlers: {
    collect_metrics: collectMetrics,
    read_metrics: readMetrics,
    kind_load: kindLoad,
    count_refusals: countRefusals,
  },
  audit: {
    collect_metrics: { notAudited: "it writes nothing but what was counted" },
    count_refusals: { notAudited: "the gateway gives it, not a caller" },
  },
  jobs: [],
};
