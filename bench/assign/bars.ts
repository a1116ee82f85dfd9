import { median, rounded } from "./quantiles.ts";
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

/** The limits that the benchmark holds. Costs and rates are compared with others of the same run where possible. */
export function barsOf({ rounds, latency, wide, soak, runs }: Measured): Record<string, Bar> {
  const [bare, singly, batches] = [rounds.bare, rounds.singly, rounds.batches].map(medianCost);
  const [onePeer, bullSingly, bullBatches] = [
    rounds.one_peer,
    rounds.bullmq_singly,
    rounds.bullmq_batches,
  ].map(medianCost);
  const cpu = (cost: Cost | null | undefined) => ratio(cost?.cpuMsPerCall, bare?.cpuMsPerCall);
  return {
    fsyncs_singly: atMost(0.3, singly?.fsyncsPerCall),
    fsyncs_batches: atMost(0.1, batches?.fsyncsPerCall),
    cpu_times_bare_singly: atMost(6, cpu(singly)),
    cpu_times_bare_batches: atMost(2.5, cpu(batches)),
    bullmq_times_singly: atMost(4, ratio(bullSingly?.perSecond, singly?.perSecond)),
    bullmq_times_batches: atMost(5, ratio(bullBatches?.perSecond, batches?.perSecond)),
    receipt_p50_times_ungrouped: atMost(
      1.2,
      ratio(median(latency.tasks.receipts), median(latency.ungrouped.receipts)),
    ),
    one_peer_per_second: atLeast(200, onePeer?.perSecond),
    memory_growth: below(0.1, soak.growth_second_half),
    wide_peer_per_second: atLeast(200, wide.per_second ?? 0),
    wide_peer_refused: atMost(0, wide.refused_attempts),
    wide_peer_repeated: atMost(0, wide.repeated_attempts),
    least_share_of_a_peer: above(
      0,
      Math.min(...runs) / runs.reduce((sum, count) => sum + count, 0),
    ),
  };
}

/** Not a bar: the rate of single tasks that would be a success beyond it. */
export const stretchOf = (rounds: Rounds): Bar =>
  atLeast(1_000, medianCost(rounds.singly)?.perSecond);

type Figure = number | null | undefined;

const ratio = (value: Figure, to: Figure): number | null =>
  value === null || value === undefined || to === null || to === undefined ? null : value / to;

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
