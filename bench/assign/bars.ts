import { median, medianOf, rounded } from "./quantiles.ts";
import { medianCost, type Cost } from "./load.ts";
import type { Rounds } from "./rounds.ts";
import type { SoakFigures } from "./soak.ts";
import type { Subjects } from "./subjects.ts";
import type { WidePeerFigures } from "./wide-peer.ts";

/** A figure and its limit. `ok` is null if the figure could not be measured here. */
export interface Bar {
  readonly value: number | null;
  readonly bar: string;
  readonly ok: boolean | null;
}

export interface Measured {
  readonly rounds: Rounds;
  readonly latency: Subjects["latency"];
  readonly wide: WidePeerFigures;
  readonly soak: SoakFigures;
  /** How many tasks each of the peers of `singly` and `batches` ran. */
  readonly runs: readonly number[];
}

/** The limits that the benchmark holds. Costs and rates are compared with others of the same round where possible. */
export function barsOf({ rounds, latency, wide, soak, runs }: Measured): Record<string, Bar> {
  const cpu = (costs: readonly Cost[]) =>
    medianRatio(costs, rounds.bare, ({ cpuMsPerCall }) => cpuMsPerCall);
  const ungrouped = median(latency.ungrouped.receipts);
  const allRuns = runs.reduce((sum, count) => sum + count, 0);
  return {
    fsyncs_singly: atMost(0.3, medianCost(rounds.singly)?.fsyncsPerCall),
    fsyncs_batches: atMost(0.1, medianCost(rounds.batches)?.fsyncsPerCall),
    cpu_times_bare_singly: atMost(6, cpu(rounds.singly)),
    cpu_times_bare_batches: atMost(2.5, cpu(rounds.batches)),
    bullmq_times_singly: atMost(4, timesFaster(rounds.bullmq_singly, rounds.singly)),
    bullmq_times_batches: atMost(5, timesFaster(rounds.bullmq_batches, rounds.batches)),
    receipt_p50_times_ungrouped: atMost(1.2, median(latency.tasks.receipts) / ungrouped),
    one_peer_per_second: atLeast(200, medianCost(rounds.one_peer)?.perSecond),
    memory_growth: below(0.1, soak.growth_second_half),
    wide_peer_per_second: atLeast(200, wide.per_second ?? 0),
    wide_peer_refused: atMost(0, wide.refused_attempts),
    wide_peer_repeated: atMost(0, wide.repeated_attempts),
    least_share_of_a_peer: above(0, Math.min(...runs) / allRuns),
  };
}

/** Not a bar: the rate of single tasks that would be a success beyond it. */
export const stretchOf = (rounds: Rounds): Bar =>
  atLeast(1_000, medianCost(rounds.singly)?.perSecond);

type Figure = number | null | undefined;

/** How many times the rate of the second load that of the first is. */
const timesFaster = (costs: readonly Cost[], than: readonly Cost[]): number | null =>
  medianRatio(costs, than, ({ perSecond }) => perSecond);

/** The median over rounds of the ratio within a round; null if either load did not run. */
const medianRatio = (
  costs: readonly Cost[],
  to: readonly Cost[],
  figureOf: (cost: Cost) => number,
): number | null =>
  medianOf(
    costs.map((cost, round) => {
      const other = to[round];
      return other === undefined ? null : figureOf(cost) / figureOf(other);
    }),
  );

const compared =
  (symbol: string, holds: (value: number, limit: number) => boolean) =>
  (limit: number, value: Figure): Bar =>
    value === null || value === undefined
      ? { value: null, bar: `${symbol} ${limit}`, ok: null }
      : { value: rounded(value), bar: `${symbol} ${limit}`, ok: holds(value, limit) };

const atMost = compared("<=", (value, limit) => value <= limit);
const atLeast = compared(">=", (value, limit) => value >= limit);
const below = compared("<", (value, limit) => value < limit);
const above = compared(">", (value, limit) => value > limit);
