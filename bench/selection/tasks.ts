import { exponential, keyedRandom, logNormal } from "./keyed.ts";

/** Number of peers that submit tasks. */
export const CONTROLLERS = 9;
export const SERVICE_MEAN_MS = 1_000;
/** Standard deviation of the logarithm of task sizes. */
const SIZE_SIGMA = 1;

/** The streams of keyed random numbers, apart from those of the world. */
const STREAM = { arrival: 11, controller: 12, size: 13 } as const;

export interface Tasks {
  readonly count: number;
  /** When each task is submitted, in order. */
  readonly at: Float64Array;
  readonly controller: Uint8Array;
  readonly sizeMs: Float64Array;
}

/**
 * The submitted work as a share of the capacity of the workers that are up, always or at a time; or a number of tasks
 * that are all submitted at the beginning.
 */
export type Load = number | ((at: number) => number) | { readonly queued: number };

/**
 * Generates Poisson arrivals, unless the tasks are queued at the beginning.
 *
 * @param capacity number of tasks of mean size that all workers can run per millisecond
 */
export function makeTasks(seed: number, load: Load, capacity: number, durationMs: number): Tasks {
  if (typeof load === "object") return tasksAt(seed, Array<number>(load.queued).fill(0));
  const loadAt = typeof load === "number" ? () => load : load;
  const times: number[] = [];
  for (let at = 0; ;) {
    const rate = loadAt(at) * capacity;
    at += exponential(1 / rate, keyedRandom(seed, STREAM.arrival, times.length));
    if (at >= durationMs) break;
    times.push(at);
  }
  return tasksAt(seed, times);
}

function tasksAt(seed: number, times: readonly number[]): Tasks {
  const count = times.length;
  return {
    count,
    at: Float64Array.from(times),
    controller: Uint8Array.from({ length: count }, (_, task) =>
      Math.floor(keyedRandom(seed, STREAM.controller, task) * CONTROLLERS),
    ),
    sizeMs: Float64Array.from({ length: count }, (_, task) =>
      logNormal(
        SERVICE_MEAN_MS,
        SIZE_SIGMA,
        keyedRandom(seed, STREAM.size, task, 0),
        keyedRandom(seed, STREAM.size, task, 1),
      ),
    ),
  };
}
