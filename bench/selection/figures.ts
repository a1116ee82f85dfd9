import type { Run } from "./simulate.ts";

/** What a run is told by. Times in seconds, shares in percent. */
export interface RunFigures {
  readonly p50: number;
  readonly p99: number;
  readonly mean: number;
  /** Of all assignments, that is of attempts. */
  readonly failed: number;
  /** Of those, the ones with a silent worker. */
  readonly lost: number;
  /** Of all tasks: all attempts spent, or nobody left. */
  readonly tasksFailed: number;
  /** Of all assignments, what the busiest worker got. */
  readonly largestShare: number;
}

export function figuresOf(run: Run): RunFigures {
  const sorted = run.latencies.toSorted();
  const quantile = (share: number) =>
    (sorted[Math.floor(share * (sorted.length - 1))] ?? 0) / 1_000;
  return {
    p50: quantile(0.5),
    p99: quantile(0.99),
    mean: sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length / 1_000,
    failed: percent(run.failedAttempts, run.attempts),
    lost: percent(run.lostAttempts, run.attempts),
    tasksFailed: percent(run.failedTasks, sorted.length),
    largestShare: 100 * run.largestShare,
  };
}

const percent = (count: number, of: number): number => (100 * count) / of;

/** A figure over several seeds: its mean, its least, its greatest. */
export type Spread = readonly [mean: number, least: number, greatest: number];

export const spread = (values: readonly number[]): Spread => [
  round(values.reduce((sum, value) => sum + value, 0) / values.length),
  round(Math.min(...values)),
  round(Math.max(...values)),
];

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
