import { keyed } from "./keyed.ts";
import type { Mesh } from "./mesh.ts";
import type { MakePolicy, Waiting } from "./simulate.ts";
import { WORKERS } from "./world.ts";

/** Stream of keyed draws for what policies draw by lot. */
export const LOTS = 100;

/** Put on a measure, it brings a worker behind all others. */
const LAST = 1e9;

/** Whether a worker may have a task at all: what every policy but go-p2p's as built asks first. */
const eligible = ({ connected, held, slots }: Mesh, worker: number): boolean =>
  connected[worker] === 1 && (held[worker] as number) < (slots[worker] as number) + 1;

/** The eligible worker of the least measure; one that failed at this task before comes last. */
function leastOf(mesh: Mesh, { tried }: Waiting, measure: (worker: number) => number): number {
  let best = -1;
  let least = Infinity;
  for (let worker = 0; worker < WORKERS; worker++) {
    if (!eligible(mesh, worker)) continue;
    const value = measure(worker) + (tried.includes(worker) ? LAST : 0);
    if (value < least) {
      best = worker;
      least = value;
    }
  }
  return best;
}

export const random: MakePolicy = (mesh) => ({
  pick: (task) =>
    leastOf(mesh, task, (worker) =>
      keyed(mesh.world.seed, LOTS + task.tried.length, task.task, worker),
    ),
});

export const roundRobin: MakePolicy = (mesh) => {
  let last = 0;
  return {
    pick(task) {
      const next = leastOf(mesh, task, (worker) => (worker - last - 1 + WORKERS) % WORKERS);
      if (next >= 0) last = next;
      return next;
    },
  };
};

const rttOf = (mesh: Mesh, { controller }: Waiting, worker: number): number =>
  mesh.rtts[controller * WORKERS + worker]?.smoothedMs ?? 0;

export const leastLatency: MakePolicy = (mesh) => ({
  pick: (task) => leastOf(mesh, task, (worker) => rttOf(mesh, task, worker)),
});

/** go-p2p's axes (latency, hops, distance, 100 - score) with the weights of its registry and of Poindexter's example. */
const WEIGHTS = [1, 0.7, 0.2, 1.2] as const;
const AXES = WEIGHTS.length;

/** Raw values of all workers, by worker * AXES + axis. Nothing measured is 0, which is ideal: so it is built. */
function readAxes(mesh: Mesh, { controller }: Waiting, into: Float64Array): void {
  for (let worker = 0; worker < WORKERS; worker++) {
    const pair = controller * WORKERS + worker;
    const rtt = mesh.rtts[pair] ?? null;
    into[worker * AXES] = rtt === null ? 0 : rtt.smoothedMs;
    into[worker * AXES + 1] = rtt === null ? 0 : (mesh.world.hops[pair] as number);
    into[worker * AXES + 2] = rtt === null ? 0 : (mesh.world.km[pair] as number);
    into[worker * AXES + 3] = 100 - (mesh.goP2pScore[worker] as number);
  }
}

/** Square of the weighted distance to the ideal peer, which has 0 on every axis. */
function fromIdeal(axes: Float64Array, worker: number): number {
  let sum = 0;
  for (let axis = 0; axis < AXES; axis++)
    sum += ((axes[worker * AXES + axis] as number) * (WEIGHTS[axis] as number)) ** 2;
  return sum;
}

/** The nearest to ideal over raw axes, whether it is connected, has room, has just failed, or none of that. */
export const goP2p: MakePolicy = (mesh) => {
  const axes = new Float64Array(WORKERS * AXES);
  return {
    pick(task) {
      readAxes(mesh, task, axes);
      let best = 0;
      for (let worker = 1; worker < WORKERS; worker++)
        if (fromIdeal(axes, worker) < fromIdeal(axes, best)) best = worker;
      return best;
    },
  };
};

export const goP2pFiltered: MakePolicy = (mesh) => {
  const axes = new Float64Array(WORKERS * AXES);
  return {
    pick(task) {
      readAxes(mesh, task, axes);
      // A distance, so that the penalty of who has failed is beyond any.
      return leastOf(mesh, task, (worker) => Math.sqrt(fromIdeal(axes, worker)));
    },
  };
};

/** Poindexter's: each axis brought to 0..1 by its least and greatest over all peers, then weighted. */
export const poindexter: MakePolicy = (mesh) => {
  const axes = new Float64Array(WORKERS * AXES);
  return {
    pick(task) {
      readAxes(mesh, task, axes);
      for (let axis = 0; axis < AXES; axis++) normalise(axes, axis);
      return leastOf(mesh, task, (worker) => fromIdeal(axes, worker));
    },
  };
};

function normalise(axes: Float64Array, axis: number): void {
  let low = Infinity;
  let high = -Infinity;
  for (let at = axis; at < axes.length; at += AXES) {
    low = Math.min(low, axes[at] as number);
    high = Math.max(high, axes[at] as number);
  }
  const scale = high > low ? 1 / (high - low) : 0;
  for (let at = axis; at < axes.length; at += AXES) axes[at] = ((axes[at] as number) - low) * scale;
}

/** Knows what every attempt will come to, and takes the one that ends first; it does not look beyond the task. */
export const oracle: MakePolicy = (mesh, foresee) => ({
  pick: (task, now) =>
    leastOf(mesh, task, (worker) => {
      const { at, kind } = foresee(task, worker, now);
      return kind === "success" ? at : at + LAST;
    }),
});
