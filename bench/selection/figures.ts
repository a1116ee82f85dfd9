import type { Run } from "./simulate.ts";

/** The figures of a run. Times in seconds, shares in percent. */
export interface RunFigures {
  readonly p50: number;
  readonly p99: number;
  readonly mean: number;
  /** Failed attempts, as a share of all attempts. */
  readonly failed: number;
  /** Attempts lost with a worker that disconnected silently, as a share of all attempts. */
  readonly lost: number;
  /** Tasks that failed, as a share of all tasks: no attempt or no worker was left. */
  readonly tasksFailed: number;
  /** The share of all attempts that the busiest worker got. */
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

/** Mean, minimum and maximum of a figure over several seeds. */
export type Spread = readonly [mean: number, least: number, greatest: number];

export const spread = (values: readonly number[]): Spread => [
  round(values.reduce((sum, value) => sum + value, 0) / values.length),
  round(Math.min(...values)),
  round(Math.max(...values)),
];

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
