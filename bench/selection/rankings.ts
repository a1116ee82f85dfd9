import { keyedRandom } from "./keyed.ts";
import type { MeshState } from "./mesh.ts";
import type { MakePolicy, WaitingTask } from "./simulate.ts";
import { WORKERS } from "./world.ts";

/** The stream of keyed random numbers for random choices of policies. */
export const RANDOM_STREAM = 100;

/** Added to a measure, it ranks a worker behind all others. */
const PENALTY = 1e9;

/** Whether a worker may get a task. Every policy checks it, except "go-p2p as built". */
const isEligible = ({ connected, held, slots }: MeshState, worker: number): boolean =>
  connected[worker] === 1 && (held[worker] as number) < (slots[worker] as number) + 1;

/** The eligible worker with the least measure; workers that failed at this task before rank last. */
function eligibleWithLeast(
  mesh: MeshState,
  { tried }: WaitingTask,
  measure: (worker: number) => number,
): number {
  let best = -1;
  let least = Infinity;
  for (let worker = 0; worker < WORKERS; worker++) {
    if (!isEligible(mesh, worker)) continue;
    const value = measure(worker) + (tried.includes(worker) ? PENALTY : 0);
    if (value < least) {
      best = worker;
      least = value;
    }
  }
  return best;
}

export const random: MakePolicy = (mesh) => ({
  pick: (task) =>
    eligibleWithLeast(mesh, task, (worker) =>
      keyedRandom(mesh.world.seed, RANDOM_STREAM + task.tried.length, task.task, worker),
    ),
});

export const roundRobin: MakePolicy = (mesh) => {
  let last = 0;
  return {
    pick(task) {
      const next = eligibleWithLeast(
        mesh,
        task,
        (worker) => (worker - last - 1 + WORKERS) % WORKERS,
      );
      if (next >= 0) last = next;
      return next;
    },
  };
};

const smoothedRttMs = (mesh: MeshState, { controller }: WaitingTask, worker: number): number =>
  mesh.rtts[controller * WORKERS + worker]?.smoothedMs ?? 0;

export const leastLatency: MakePolicy = (mesh) => ({
  pick: (task) => eligibleWithLeast(mesh, task, (worker) => smoothedRttMs(mesh, task, worker)),
});

/** go-p2p's axes (latency, hops, distance, 100 - score) with the weights of its registry and of Poindexter's example. */
const WEIGHTS = [1, 0.7, 0.2, 1.2] as const;
const AXES = WEIGHTS.length;

/** Raw values of all workers, by worker * AXES + axis. A missing measurement is 0, the ideal value, as in go-p2p. */
function readAxes(mesh: MeshState, { controller }: WaitingTask, into: Float64Array): void {
  for (let worker = 0; worker < WORKERS; worker++) {
    const pair = controller * WORKERS + worker;
    const rtt = mesh.rtts[pair] ?? null;
    into[worker * AXES] = rtt === null ? 0 : rtt.smoothedMs;
    into[worker * AXES + 1] = rtt === null ? 0 : (mesh.world.hops[pair] as number);
    into[worker * AXES + 2] = rtt === null ? 0 : (mesh.world.km[pair] as number);
    into[worker * AXES + 3] = 100 - (mesh.goP2pScore[worker] as number);
  }
}

/** The square of the weighted distance to the ideal peer, which has 0 on every axis. */
function squaredDistance(axes: Float64Array, worker: number): number {
  let sum = 0;
  for (let axis = 0; axis < AXES; axis++)
    sum += ((axes[worker * AXES + axis] as number) * (WEIGHTS[axis] as number)) ** 2;
  return sum;
}

/** The worker nearest to the ideal over raw axes, even if it is disconnected, full, or has just failed. */
export const goP2p: MakePolicy = (mesh) => {
  const axes = new Float64Array(WORKERS * AXES);
  return {
    pick(task) {
      readAxes(mesh, task, axes);
      let best = 0;
      for (let worker = 1; worker < WORKERS; worker++)
        if (squaredDistance(axes, worker) < squaredDistance(axes, best)) best = worker;
      return best;
    },
  };
};

export const goP2pFiltered: MakePolicy = (mesh) => {
  const axes = new Float64Array(WORKERS * AXES);
  return {
    pick(task) {
      readAxes(mesh, task, axes);
      // The distance and not its square, so that it stays below the penalty of workers that failed.
      return eligibleWithLeast(mesh, task, (worker) => Math.sqrt(squaredDistance(axes, worker)));
    },
  };
};

/** Poindexter's ranking: each axis is normalized to 0..1 over all peers, then weighted. */
export const poindexter: MakePolicy = (mesh) => {
  const axes = new Float64Array(WORKERS * AXES);
  return {
    pick(task) {
      readAxes(mesh, task, axes);
      for (let axis = 0; axis < AXES; axis++) normalize(axes, axis);
      return eligibleWithLeast(mesh, task, (worker) => squaredDistance(axes, worker));
    },
  };
};

function normalize(axes: Float64Array, axis: number): void {
  let low = Infinity;
  let high = -Infinity;
  for (let at = axis; at < axes.length; at += AXES) {
    low = Math.min(low, axes[at] as number);
    high = Math.max(high, axes[at] as number);
  }
  const scale = high > low ? 1 / (high - low) : 0;
  for (let at = axis; at < axes.length; at += AXES) axes[at] = ((axes[at] as number) - low) * scale;
}

/** Knows how every attempt would end, and chooses the one that ends first; it does not consider later tasks. */
export const oracle: MakePolicy = (mesh, foresee) => ({
  pick: (task, now) =>
    eligibleWithLeast(mesh, task, (worker) => {
      const { endsAt: at, kind } = foresee(task, worker, now);
      return kind === "success" ? at : at + PENALTY;
    }),
});
