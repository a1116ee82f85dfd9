import type { MetricSnapshot } from "../metrics/snapshot.ts";
import type { RefusalCounts } from "../metrics/refusal-counts.ts";
import type { KindLoadView } from "../protocol/http.ts";
import type { CallersOf } from "./caller.ts";
import type { Empty } from "./inputs.ts";

export interface CollectedMetrics {
  readonly metrics: MetricSnapshot;
  /** The cells that do not answer; absent in a mesh of one cell. */
  readonly missing?: readonly number[];
}

/** Figures for monitoring and autoscalers. */
export interface MetricCommands {
  /** Every metric. What was counted is written first, so that no counter that was shown ever goes back. */
  collect_metrics: {
    caller: "gateway";
    input: Empty;
    output: CollectedMetrics;
  };
  /** The same without a write, for a database that can't be written: the counters are those that were written last. */
  read_metrics: { caller: "gateway"; input: Empty; output: CollectedMetrics };
  /** The tasks of one kind, of all owners. */
  kind_load: {
    caller: "gateway";
    input: { readonly kind: string };
    output: KindLoadView;
  };
  /** What an isolate has refused before it knew the caller, since its last report. */
  count_refusals: { caller: "gateway"; input: { readonly counts: RefusalCounts }; output: Empty };
}

export const METRIC_CALLERS: CallersOf<MetricCommands> = {
  collect_metrics: "gateway",
  read_metrics: "gateway",
  kind_load: "gateway",
  count_refusals: "gateway",
};
