import type { OutcomeKind } from "../../src/scoring/outcomes.ts";
import { EventQueue } from "./event-queue.ts";
import { Mesh } from "./mesh.ts";
import { FRAME_MS } from "./traces.ts";
import { LASTS_MS, WORKERS, type World } from "./world.ts";

const ATTEMPTS_MAX = 3;
/** An attempt is given up after this long. */
const TIMEOUT_MS = 30_000;
/** What a failed task counts as. */
export const FAILED_MS = 90_000;
/** A worker is pinged at every so many frames. */
const PING_FRAMES = 2;
/** Places of the queue that have been served before it is copied without them. */
const SERVED_MAX = 1_024;

/** A task that waits, as a policy sees it. */
export interface Waiting {
  readonly task: number;
  readonly controller: number;
  /** Workers that failed at it. */
  readonly tried: readonly number[];
}

export interface SelectionPolicy {
  /** The worker that gets the task; -1 to let it wait. */
  pick(task: Waiting, now: number): number;
}

/** A policy is made for each run, for one mesh; the oracle alone looks at what attempts will come to. */
export type MakePolicy = (mesh: Mesh, foresee: Foresee) => SelectionPolicy;

/** What would come of giving a task to a worker now. */
export type Foresee = (task: Waiting, worker: number, now: number) => Settlement;

export interface Settlement {
  /** When the mesh learns of the end. */
  readonly at: number;
  readonly kind: OutcomeKind;
  /** When the slot is free again. */
  readonly freeAt: number;
  /** Null when it was not done. */
  readonly serviceMs: number | null;
}

export interface Run {
  /** Of every task that came, in milliseconds. */
  readonly latencies: Float64Array;
  readonly attempts: number;
  readonly failedAttempts: number;
  /** Of the failed ones: lost with a worker that went silently, or given up after `TIMEOUT_MS`. */
  readonly lostAttempts: number;
  readonly failedTasks: number;
  /** Largest share of the attempts that one worker got. */
  readonly largestShare: number;
}

/** Plays one world with one policy. */
export const simulate = (world: World, make: MakePolicy): Run => new Simulation(world, make).run();

interface Attempt {
  readonly task: Waiting;
  readonly worker: number;
  readonly end: Settlement;
}

/**
 * Time goes from event to event. What an attempt will come to follows from the world and from when its worker's slots
 * are free, so it is known when the attempt is given, and its end is the only event that it needs. A worker takes
 * tasks in the order in which they were given.
 */
class Simulation {
  readonly #world: World;
  readonly #mesh: Mesh;
  readonly #policy: SelectionPolicy;
  /** Ends of attempts (their place in `#pending`), and changes of workers (negative). */
  readonly #events = new EventQueue();
  readonly #pending: Attempt[] = [];
  readonly #places: number[] = [];
  /** When each slot of each worker is free. */
  readonly #free: readonly Float64Array[];
  /** First in, first out; those that come back go first. */
  #queue: Waiting[] = [];
  #served = 0;
  readonly #latencies: Float64Array;
  readonly #given = new Float64Array(WORKERS);
  #attempts = 0;
  #failedAttempts = 0;
  #lostAttempts = 0;
  #failedTasks = 0;

  constructor(world: World, make: MakePolicy) {
    this.#world = world;
    this.#mesh = new Mesh(world);
    this.#free = world.workers.map(({ slots }) => new Float64Array(slots));
    this.#latencies = new Float64Array(world.tasks.count);
    this.#policy = make(this.#mesh, (task, worker, now) => this.#foresee(task, worker, now));
  }

  run(): Run {
    const { tasks } = this.#world;
    this.#begin();
    let arrival = 0;
    let frame = 1;
    for (;;) {
      const nextArrival = tasks.at[arrival] ?? Infinity;
      const nextFrame = frame * FRAME_MS < LASTS_MS ? frame * FRAME_MS : Infinity;
      const now = Math.min(nextArrival, nextFrame, this.#events.next());
      if (now === Infinity) break;
      if (now === nextFrame) {
        this.#ping(frame++, now);
        continue;
      }
      if (now === nextArrival) {
        const controller = tasks.controller[arrival] ?? 0;
        this.#queue.push({ task: arrival++, controller, tried: [] });
      } else {
        this.#happen(this.#events.pop(), now);
      }
      this.#dispatch(now);
    }
    // What still waits has nobody left to do it.
    for (const { task } of this.#queue.slice(this.#served)) this.#fail(task);
    return {
      latencies: this.#latencies,
      attempts: this.#attempts,
      failedAttempts: this.#failedAttempts,
      lostAttempts: this.#lostAttempts,
      failedTasks: this.#failedTasks,
      largestShare: Math.max(...this.#given) / this.#attempts,
    };
  }

  /** Connects who is up, and enters when the mesh will see workers go and come. */
  #begin(): void {
    for (const [worker, { outages }] of this.#world.workers.entries()) {
      if (isUp(this.#world, worker, 0)) this.#mesh.connect(worker, 0);
      for (const { seen, to } of outages) {
        if (seen >= 0 && seen < LASTS_MS) this.#events.push(seen, goes(worker));
        if (to < LASTS_MS) this.#events.push(to, comes(worker));
      }
    }
  }

  #ping(frame: number, now: number): void {
    for (let worker = frame % PING_FRAMES; worker < WORKERS; worker += PING_FRAMES) {
      if (this.#mesh.connected[worker] === 1 && isUp(this.#world, worker, now))
        this.#mesh.ping(worker, now);
    }
  }

  #happen(event: number, now: number): void {
    if (event >= 0) {
      this.#settle(event, now);
      return;
    }
    const worker = workerOf(event);
    if (event === goes(worker)) {
      this.#mesh.connected[worker] = 0;
    } else {
      this.#free[worker]?.fill(now);
      this.#mesh.connect(worker, now);
    }
  }

  #dispatch(now: number): void {
    while (this.#served < this.#queue.length) {
      const task = this.#queue[this.#served] as Waiting;
      const worker = this.#policy.pick(task, now);
      if (worker < 0) break;
      this.#served++;
      const end = this.#foresee(task, worker, now);
      if (this.#mesh.connected[worker] === 1) occupy(this.#free[worker], end.freeAt);
      this.#mesh.give(worker, now);
      this.#given[worker] = (this.#given[worker] as number) + 1;
      this.#attempts++;
      const place = this.#places.pop() ?? this.#pending.length;
      this.#pending[place] = { task, worker, end };
      this.#events.push(end.at, place);
    }
    if (this.#served > SERVED_MAX && this.#served * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#served);
      this.#served = 0;
    }
  }

  #settle(place: number, now: number): void {
    const { task, worker, end } = this.#pending[place] as Attempt;
    this.#places.push(place);
    this.#mesh.settle(worker, end.kind, end.serviceMs, now);
    if (end.kind === "success") {
      this.#latencies[task.task] = now - (this.#world.tasks.at[task.task] as number);
      return;
    }
    this.#failedAttempts++;
    if (end.kind === "timeout") this.#lostAttempts++;
    const again = { ...task, tried: [...task.tried, worker] };
    if (again.tried.length >= ATTEMPTS_MAX) this.#fail(task.task);
    else if (this.#served > 0) this.#queue[--this.#served] = again;
    else this.#queue.unshift(again);
  }

  #fail(task: number): void {
    this.#failedTasks++;
    this.#latencies[task] = FAILED_MS;
  }

  #foresee({ task, controller, tried }: Waiting, worker: number, now: number): Settlement {
    const world = this.#world;
    if (this.#mesh.connected[worker] === 0)
      return { at: now, kind: "failure", freeAt: 0, serviceMs: null };
    const rtt = world.rttLater(controller, worker, now);
    const begins = Math.max(now + rtt / 2, least(this.#free[worker]));
    const serviceMs = world.serviceMs(task, worker);
    const fault = world.faultAt(task, worker, tried.length);
    const freeAt = begins + serviceMs * (fault ?? 1);
    const at = freeAt + rtt / 2;
    const outage = world.outage(worker, now);
    const lost = outage !== undefined && outage.from < freeAt;
    if (lost || at > now + TIMEOUT_MS) {
      const noticed = Math.min(lost ? outage.seen : Infinity, now + TIMEOUT_MS);
      return { at: Math.max(now, noticed), kind: "timeout", freeAt, serviceMs: null };
    }
    return fault === null
      ? { at, kind: "success", freeAt, serviceMs }
      : { at, kind: "failure", freeAt, serviceMs: null };
  }
}

/** Events of workers: odd and even negative numbers. */
const goes = (worker: number): number => -2 - 2 * worker;
const comes = (worker: number): number => -3 - 2 * worker;
const workerOf = (event: number): number => (-2 - event) >> 1;

const isUp = (world: World, worker: number, at: number): boolean => {
  const outage = world.outage(worker, at);
  return outage === undefined || outage.from > at;
};

const least = (slots: Float64Array = NONE): number => {
  let min = Infinity;
  for (const at of slots) if (at < min) min = at;
  return min;
};

function occupy(slots: Float64Array = NONE, until: number): void {
  let first = 0;
  for (let i = 1; i < slots.length; i++)
    if ((slots[i] as number) < (slots[first] as number)) first = i;
  slots[first] = until;
}

const NONE = new Float64Array(0);
