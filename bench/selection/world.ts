import { beta, exponential, gamma, keyed, logNormal, sequence, weibull } from "./keyed.ts";
import { DEVICES, FRAME_MS, FRAMES, type System, type Traces, type Weibull } from "./traces.ts";

/** What a world is made of; the same for every policy. Times in milliseconds. */
export const CONTROLLERS = 9;
export const WORKERS = 90;
export const LASTS_MS = 90 * 60_000;
/** A choice is judged this many frames later than what it saw: samples are held for several frames. */
const JUDGED_LATER = 20;
const SERVICE_MEAN_MS = 1_000;
/** Deviations of the logarithm: of tasks among themselves, and of how slow the workers are. */
const SIZE_SIGMA = 1;
const SLOWNESS_SIGMA = 0.3;
/** Slots of a worker, each as likely. */
const SLOTS = [1, 1, 2, 4];
/** Fault rates of the workers: Beta. */
const FAULTS = [0.3, 8] as const;
/** A silent disconnect is seen after this much, evenly. */
const SEEN_AFTER_MS = [10_000, 40_000] as const;
/** Light covers this many kilometres of fibre there and back in a millisecond; a path is longer than a great circle. */
const KM_PER_MS = 100;
const DIRECTNESS = [0.2, 0.8] as const;

/** Streams of keyed draws. */
const OF = {
  devices: 1,
  offset: 2,
  system: 3,
  timeline: 4,
  seen: 5,
  slots: 6,
  slowness: 7,
  fault: 8,
  faultRate: 9,
  faultAt: 10,
  arrival: 11,
  controller: 12,
  size: 13,
  hops: 14,
  distance: 15,
} as const;

/** A time for which a worker is gone. */
export interface Outage {
  readonly from: number;
  /** When the mesh notices: by the silence, or by the new session. */
  readonly seen: number;
  readonly to: number;
}

export interface Worker {
  readonly slots: number;
  /** Its service times are a task's size times this. */
  readonly slowness: number;
  readonly faultRate: number;
  readonly outages: readonly Outage[];
}

export interface Tasks {
  readonly count: number;
  readonly at: Float64Array;
  readonly controller: Uint8Array;
  readonly sizeMs: Float64Array;
}

export class World {
  readonly seed: number;
  readonly workers: readonly Worker[];
  readonly tasks: Tasks;
  /** Hops and kilometres, index controller * WORKERS + worker; made up, for the trace knows neither. */
  readonly hops: Float64Array;
  readonly km: Float64Array;
  readonly #rtts: Float32Array;
  readonly #devices: readonly number[];
  readonly #offset: number;

  /** `load` is the work given, as a share of what the workers that are up can do. */
  constructor(traces: Traces, seed: number, load: number) {
    this.seed = seed;
    this.#rtts = traces.rtts;
    this.#devices = shuffled(DEVICES, seed);
    const frames = Math.ceil(LASTS_MS / FRAME_MS) + JUDGED_LATER + 1;
    this.#offset = Math.floor(keyed(seed, OF.offset) * (FRAMES - frames));
    this.workers = Array.from({ length: WORKERS }, (_, worker) =>
      makeWorker(traces.systems, seed, worker),
    );
    this.tasks = makeTasks(seed, load * capacity(this.workers));
    this.hops = pairs((pair) => 3 + Math.floor(15 * keyed(seed, OF.hops, pair)));
    this.km = pairs((pair) => this.#distance(pair));
  }

  /** The round-trip time that the trace has for a pair at a time. */
  rtt(controller: number, worker: number, at: number): number {
    return this.#at(controller, worker, this.#offset + Math.floor(at / FRAME_MS));
  }

  /** The round-trip time by which a choice made at a time is judged. */
  rttLater(controller: number, worker: number, at: number): number {
    return this.rtt(controller, worker, Math.min(at, LASTS_MS) + JUDGED_LATER * FRAME_MS);
  }

  serviceMs(task: number, worker: number): number {
    return (this.tasks.sizeMs[task] ?? 0) * (this.workers[worker]?.slowness ?? 1);
  }

  /** After which share of its service time an attempt fails; null when it does not. */
  faultAt(task: number, worker: number, attempt: number): number | null {
    const pair = task * WORKERS + worker;
    if (keyed(this.seed, OF.fault, pair, attempt) >= (this.workers[worker]?.faultRate ?? 0)) {
      return null;
    }
    return keyed(this.seed, OF.faultAt, pair, attempt);
  }

  /** The outage that a worker is in at a time, or the next one; undefined when none is to come. */
  outage(worker: number, at: number): Outage | undefined {
    return this.workers[worker]?.outages.find(({ to }) => to > at);
  }

  #at(controller: number, worker: number, frame: number): number {
    const from = this.#devices[controller] ?? 0;
    const to = this.#devices[CONTROLLERS + worker] ?? 0;
    return this.#rtts[(frame * DEVICES + from) * DEVICES + to] ?? Number.NaN;
  }

  /** Below what the least RTT of the whole trace allows, by a factor that stands for how direct the path is. */
  #distance(pair: number): number {
    const [controller, worker] = [Math.floor(pair / WORKERS), pair % WORKERS];
    let least = Infinity;
    for (let frame = 0; frame < FRAMES; frame++)
      least = Math.min(least, this.#at(controller, worker, frame));
    return KM_PER_MS * least * between(DIRECTNESS, keyed(this.seed, OF.distance, pair));
  }
}

const between = ([low, high]: readonly [number, number], share: number): number =>
  low + (high - low) * share;

const pairs = (of: (pair: number) => number): Float64Array =>
  Float64Array.from({ length: CONTROLLERS * WORKERS }, (_, pair) => of(pair));

function shuffled(count: number, seed: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i).toSorted(
    (a, b) => keyed(seed, OF.devices, a) - keyed(seed, OF.devices, b),
  );
}

function makeWorker(systems: readonly System[], seed: number, worker: number): Worker {
  const system = systems[Math.floor(keyed(seed, OF.system, worker) * systems.length)] as System;
  return {
    slots: SLOTS[Math.floor(keyed(seed, OF.slots, worker) * SLOTS.length)] ?? 1,
    slowness: logNormal(
      1,
      SLOWNESS_SIGMA,
      keyed(seed, OF.slowness, worker, 0),
      keyed(seed, OF.slowness, worker, 1),
    ),
    faultRate: beta(...FAULTS, sequence(seed, OF.faultRate, worker)),
    outages: outagesOf(system, seed, worker),
  };
}

/** Up and down in turn, from a state and an age as they are found at a time that has nothing to do with the peer. */
function outagesOf({ up, down }: System, seed: number, worker: number): readonly Outage[] {
  const next = sequence(seed, OF.timeline, worker);
  const outages: Outage[] = [];
  let isUp = next() < mean(up) / (mean(up) + mean(down));
  let at = residual(isUp ? up : down, next);
  if (!isUp) outages.push({ from: -1, seen: -1, to: at });
  while (at < LASTS_MS) {
    if (isUp) {
      const to = at + weibull(down.shape, down.scale, next());
      const seen = at + between(SEEN_AFTER_MS, keyed(seed, OF.seen, worker, outages.length));
      outages.push({ from: at, seen: Math.min(seen, to), to });
      at = to;
    } else {
      at += weibull(up.shape, up.scale, next());
    }
    isUp = !isUp;
  }
  return outages;
}

const mean = ({ shape, scale }: Weibull): number => {
  // Lanczos would be more exact; Stirling's series after a shift is exact enough for a probability.
  let x = 1 + 1 / shape;
  let shift = 1;
  while (x < 10) shift *= x++;
  const log = (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x);
  return (scale * Math.exp(log)) / shift;
};

/** What is left of a stretch in which a random moment falls: a long one is met more often (renewal theory). */
function residual({ shape, scale }: Weibull, next: () => number): number {
  return scale * gamma(1 + 1 / shape, next) ** (1 / shape) * next();
}

/** Tasks of mean size that the workers can do in a millisecond, on average over the time. */
function capacity(workers: readonly Worker[]): number {
  return workers.reduce((sum, { slots, slowness, outages }) => {
    const gone = outages.reduce(
      (ms, { from, to }) => ms + Math.min(to, LASTS_MS) - Math.max(0, from),
      0,
    );
    return sum + ((slots / slowness) * (1 - gone / LASTS_MS)) / SERVICE_MEAN_MS;
  }, 0);
}

/** Poisson arrivals at a rate per millisecond. */
function makeTasks(seed: number, rate: number): Tasks {
  const times: number[] = [];
  for (let at = 0; ;) {
    at += exponential(1 / rate, keyed(seed, OF.arrival, times.length));
    if (at >= LASTS_MS) break;
    times.push(at);
  }
  const count = times.length;
  return {
    count,
    at: Float64Array.from(times),
    controller: Uint8Array.from({ length: count }, (_, task) =>
      Math.floor(keyed(seed, OF.controller, task) * CONTROLLERS),
    ),
    sizeMs: Float64Array.from({ length: count }, (_, task) =>
      logNormal(
        SERVICE_MEAN_MS,
        SIZE_SIGMA,
        keyed(seed, OF.size, task, 0),
        keyed(seed, OF.size, task, 1),
      ),
    ),
  };
}
