import { beta, gamma, keyedRandom, logNormal, randomSequence, weibull } from "./keyed.ts";
import { CONTROLLERS, makeTasks, SERVICE_MEAN_MS, type Load, type Tasks } from "./tasks.ts";
import { DEVICES, FRAME_MS, FRAMES, type System, type Traces, type Weibull } from "./traces.ts";

/** The constants of a world, the same for every policy. Times in milliseconds. */
export const WORKERS = 90;
export const DURATION_MS = 90 * 60_000;
/** An attempt uses the RTT of this many frames later than the choice, because the trace repeats samples for several frames. */
const JUDGMENT_DELAY_FRAMES = 20;
/** Standard deviation of the logarithm of worker slowness. */
const SLOWNESS_SIGMA = 0.3;
/** Numbers of slots of a worker, equally likely. */
const SLOTS = [1, 1, 2, 4];
/** Parameters of the Beta distribution of worker fault rates. */
const FAULT_RATE_BETA = [0.3, 8] as const;
/** The mesh notices a silent disconnection after a time in this range, uniformly distributed. */
const NOTICED_AFTER_MS = [10_000, 40_000] as const;
/** The distance whose round trip through fiber takes a millisecond; a path is longer than the great circle. */
const KM_PER_MS = 100;
const DIRECTNESS = [0.2, 0.8] as const;

/** The streams of keyed random numbers. */
const STREAM = {
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
  hops: 14,
  distance: 15,
} as const;

/** A period in which a worker is disconnected. */
export interface Outage {
  readonly from: number;
  /** When the mesh notices it: by the silence, or by the new session. */
  readonly noticedAt: number;
  readonly to: number;
}

export interface Worker {
  readonly slots: number;
  /** How many tasks it runs at full speed. */
  readonly cores: number;
  /** The service time of a task is its size times this factor. */
  readonly slowness: number;
  readonly faultRate: number;
  readonly outages: readonly Outage[];
}

export class World {
  readonly seed: number;
  readonly workers: readonly Worker[];
  readonly tasks: Tasks;
  /** Hops and kilometers, by controller * WORKERS + worker; they are generated, because the trace has neither. */
  readonly hops: Float64Array;
  readonly km: Float64Array;
  readonly durationMs: number;
  readonly #rtts: Float32Array;
  readonly #devices: readonly number[];
  readonly #offset: number;

  /**
   * `load` is the submitted work as a share of the capacity of the workers that are up. With more than one slot per core
   * the tasks of a worker share its cores.
   */
  constructor(
    traces: Traces,
    seed: number,
    load: Load,
    slotsPerCore = 1,
    durationMs = DURATION_MS,
  ) {
    this.seed = seed;
    this.durationMs = durationMs;
    this.#rtts = traces.rtts;
    this.#devices = shuffled(DEVICES, seed);
    const frames = Math.ceil(durationMs / FRAME_MS) + JUDGMENT_DELAY_FRAMES + 1;
    this.#offset = Math.floor(keyedRandom(seed, STREAM.offset) * (FRAMES - frames));
    this.workers = Array.from({ length: WORKERS }, (_, worker) =>
      makeWorker(traces.systems, seed, worker, slotsPerCore, durationMs),
    );
    this.tasks = makeTasks(seed, load, capacity(this.workers, durationMs), durationMs);
    this.hops = forEachPair((pair) => 3 + Math.floor(15 * keyedRandom(seed, STREAM.hops, pair)));
    this.km = forEachPair((pair) => this.#distance(pair));
  }

  /** The round-trip time of a pair at a time, according to the trace. */
  rtt(controller: number, worker: number, at: number): number {
    return this.#at(controller, worker, this.#offset + Math.floor(at / FRAME_MS));
  }

  /** The round-trip time that an attempt sees whose choice was made at a time. */
  rttLater(controller: number, worker: number, at: number): number {
    return this.rtt(
      controller,
      worker,
      Math.min(at, this.durationMs) + JUDGMENT_DELAY_FRAMES * FRAME_MS,
    );
  }

  serviceMs(task: number, worker: number): number {
    return (this.tasks.sizeMs[task] ?? 0) * (this.workers[worker]?.slowness ?? 1);
  }

  /** The share of its service time after which an attempt fails; null when it does not fail. */
  faultAt(task: number, worker: number, attempt: number): number | null {
    const pair = task * WORKERS + worker;
    if (
      keyedRandom(this.seed, STREAM.fault, pair, attempt) >= (this.workers[worker]?.faultRate ?? 0)
    ) {
      return null;
    }
    return keyedRandom(this.seed, STREAM.faultAt, pair, attempt);
  }

  /** The current or next outage of a worker at a time; undefined when there is none. */
  outage(worker: number, at: number): Outage | undefined {
    return this.workers[worker]?.outages.find(({ to }) => to > at);
  }

  #at(controller: number, worker: number, frame: number): number {
    const from = this.#devices[controller] ?? 0;
    const to = this.#devices[CONTROLLERS + worker] ?? 0;
    return this.#rtts[(frame * DEVICES + from) * DEVICES + to] ?? Number.NaN;
  }

  /** The distance that the least RTT of the trace allows, times a factor for the directness of the path. */
  #distance(pair: number): number {
    const [controller, worker] = [Math.floor(pair / WORKERS), pair % WORKERS];
    let least = Infinity;
    for (let frame = 0; frame < FRAMES; frame++)
      least = Math.min(least, this.#at(controller, worker, frame));
    return KM_PER_MS * least * between(DIRECTNESS, keyedRandom(this.seed, STREAM.distance, pair));
  }
}

const between = ([low, high]: readonly [number, number], share: number): number =>
  low + (high - low) * share;

const forEachPair = (of: (pair: number) => number): Float64Array =>
  Float64Array.from({ length: CONTROLLERS * WORKERS }, (_, pair) => of(pair));

function shuffled(count: number, seed: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i).toSorted(
    (a, b) => keyedRandom(seed, STREAM.devices, a) - keyedRandom(seed, STREAM.devices, b),
  );
}

function makeWorker(
  systems: readonly System[],
  seed: number,
  worker: number,
  slotsPerCore: number,
  durationMs: number,
): Worker {
  const cores = SLOTS[Math.floor(keyedRandom(seed, STREAM.slots, worker) * SLOTS.length)] ?? 1;
  const system = systems[
    Math.floor(keyedRandom(seed, STREAM.system, worker) * systems.length)
  ] as System;
  return {
    cores,
    slots: cores * slotsPerCore,
    slowness: logNormal(
      1,
      SLOWNESS_SIGMA,
      keyedRandom(seed, STREAM.slowness, worker, 0),
      keyedRandom(seed, STREAM.slowness, worker, 1),
    ),
    faultRate: beta(...FAULT_RATE_BETA, randomSequence(seed, STREAM.faultRate, worker)),
    outages: outagesOf(system, seed, worker, durationMs),
  };
}

/** Alternating times up and down; the initial state and its age are those at a random time. */
function outagesOf(
  { up, down }: System,
  seed: number,
  worker: number,
  durationMs: number,
): readonly Outage[] {
  const next = randomSequence(seed, STREAM.timeline, worker);
  const outages: Outage[] = [];
  let isUp = next() < mean(up) / (mean(up) + mean(down));
  let at = residual(isUp ? up : down, next);
  if (!isUp) outages.push({ from: -1, noticedAt: -1, to: at });
  while (at < durationMs) {
    if (isUp) {
      const to = at + weibull(down.shape, down.scale, next());
      const seen =
        at + between(NOTICED_AFTER_MS, keyedRandom(seed, STREAM.seen, worker, outages.length));
      outages.push({ from: at, noticedAt: Math.min(seen, to), to });
      at = to;
    } else {
      at += weibull(up.shape, up.scale, next());
    }
    isUp = !isUp;
  }
  return outages;
}

const mean = ({ shape, scale }: Weibull): number => {
  // Stirling's series after a shift is less exact than Lanczos' method, but exact enough for a probability.
  let x = 1 + 1 / shape;
  let shift = 1;
  while (x < 10) shift *= x++;
  const log = (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x);
  return (scale * Math.exp(log)) / shift;
};

/** The rest of the period that contains a random time; long periods contain it more often (renewal theory). */
function residual({ shape, scale }: Weibull, next: () => number): number {
  return scale * gamma(1 + 1 / shape, next) ** (1 / shape) * next();
}

/** How many tasks of mean size the workers can run per millisecond, averaged over the simulated time. */
function capacity(workers: readonly Worker[], durationMs: number): number {
  return workers.reduce((sum, { cores, slowness, outages }) => {
    const gone = outages.reduce(
      (ms, { from, to }) => ms + Math.min(to, durationMs) - Math.max(0, from),
      0,
    );
    return sum + ((cores / slowness) * (1 - gone / durationMs)) / SERVICE_MEAN_MS;
  }, 0);
}
