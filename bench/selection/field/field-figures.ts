import { FAILED_TASK_MS, type FieldRun } from "./field-simulation.ts";

/** The figures of a run. Times in seconds, shares in percent. */
export interface FieldFigures {
  readonly p50: number;
  readonly p99: number;
  readonly mean: number;
  /** Failed and timed-out attempts, as a share of all attempts that were not refused. */
  readonly wasted: number;
  /** Tasks that failed, as a share of all. */
  readonly lost: number;
  /** Refusals per task. */
  readonly refusals: number;
  /** The mean time from submission to failure, of the tasks that failed; 0 if none did. */
  readonly failedAfter: number;
}

/** The figures of a run over the tasks that `counts` selects; attempts are those of these tasks. */
export function fieldFiguresOf(
  run: FieldRun,
  counts: (task: number) => boolean = () => true,
): FieldFigures {
  const latencies = run.latencies.filter((_, task) => counts(task)).toSorted();
  const quantile = (share: number) =>
    (latencies[Math.floor(share * (latencies.length - 1))] ?? 0) / 1_000;
  let [attempts, wasted, refusals, lost] = [0, 0, 0, 0];
  for (const { task, end } of run.attempts) {
    if (!counts(task)) continue;
    if (end.outcome === "refusal") refusals++;
    else attempts++;
    if (end.outcome === "failure" || end.outcome === "timeout") wasted++;
  }
  for (const [task, failed] of run.failed.entries()) if (failed === 1 && counts(task)) lost++;
  const failedAfterMs = run.failedAfterMs.map((ms) => Math.min(ms, 10 * FAILED_TASK_MS));
  return {
    p50: quantile(0.5),
    p99: quantile(0.99),
    mean: latencies.reduce((sum, ms) => sum + ms, 0) / latencies.length / 1_000,
    wasted: (100 * wasted) / attempts,
    lost: (100 * lost) / latencies.length,
    refusals: refusals / latencies.length,
    failedAfter:
      failedAfterMs.reduce((sum, ms) => sum + ms, 0) / Math.max(1, failedAfterMs.length) / 1_000,
  };
}
