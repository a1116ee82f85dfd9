import type { OutcomeKind } from "../../src/scoring/outcomes.ts";
import { EventQueue } from "./event-queue.ts";
import { MeshState } from "./mesh.ts";
import { FRAME_MS } from "./traces.ts";
import { DURATION_MS, WORKERS, type World } from "./world.ts";

const ATTEMPTS_MAX = 3;
/** An attempt times out after this time. */
const ATTEMPT_TIMEOUT_MS = 30_000;
/** The latency that a failed task counts as. */
const FAILED_TASK_MS = 90_000;
/** A worker is pinged once in this many frames. */
const PING_FRAMES = 2;
/** How many served tasks may precede the queue before it is copied without them. */
const SERVED_PREFIX_MAX = 1_024;

/** A queued task, as a policy sees it. */
export interface WaitingTask {
  readonly task: number;
  readonly controller: number;
  /** Workers that failed at this task. */
  readonly tried: readonly number[];
}

interface SelectionPolicy {
  /** The worker for the task; -1 if it must wait. */
  pick(task: WaitingTask, now: number): number;
}

/** Creates a policy for one run. Only the oracle uses predictions. */
export type MakePolicy = (mesh: MeshState, foresee: Predict) => SelectionPolicy;

/** How an attempt would end if the task were assigned to the worker now. */
type Predict = (task: WaitingTask, worker: number, now: number) => AttemptEnd;

interface AttemptEnd {
  /** When the mesh notices the end. */
  readonly endsAt: number;
  readonly kind: OutcomeKind;
  /** When the slot becomes free. */
  readonly freeAt: number;
  /** Null when the attempt did not succeed. */
  readonly serviceMs: number | null;
}

export interface Run {
  /** The latency of every task, in milliseconds. */
  readonly latencies: Float64Array;
  readonly attempts: number;
  readonly failedAttempts: number;
  /** Failed attempts that were lost with a silent worker or timed out after `ATTEMPT_TIMEOUT_MS`. */
  readonly lostAttempts: number;
  readonly failedTasks: number;
  /** The share of all attempts that the busiest worker got. */
  readonly largestShare: number;
}

/** Simulates one world with one policy. */
export const simulate = (world: World, make: MakePolicy): Run => new Simulation(world, make).run();

interface Attempt {
  readonly task: WaitingTask;
  readonly worker: number;
  readonly end: AttemptEnd;
}

/**
 * A discrete-event simulation. The end of an attempt follows from the world and from when the slots of its worker are
 * free, so it is known when the task is assigned, and is the only event of the attempt. A worker runs tasks in the order
 * in which they were assigned.
 */
class Simulation {
  readonly #world: World;
  readonly #mesh: MeshState;
  readonly #policy: SelectionPolicy;
  /** Ends of attempts (their index in `#pending`), and connection changes of workers (negative numbers). */
  readonly #events = new EventQueue();
  readonly #pending: Attempt[] = [];
  readonly #freeIndexes: number[] = [];
  /** When each slot of each worker becomes free. */
  readonly #free: readonly Float64Array[];
  /** First in, first out; retried tasks go first. */
  #queue: WaitingTask[] = [];
  #served = 0;
  readonly #latencies: Float64Array;
  readonly #assigned = new Float64Array(WORKERS);
  #attempts = 0;
  #failedAttempts = 0;
  #lostAttempts = 0;
  #failedTasks = 0;

  constructor(world: World, make: MakePolicy) {
    this.#world = world;
    this.#mesh = new MeshState(world);
    this.#free = world.workers.map(({ slots }) => new Float64Array(slots));
    this.#latencies = new Float64Array(world.tasks.count);
    this.#policy = make(this.#mesh, (task, worker, now) => this.#predict(task, worker, now));
  }

  run(): Run {
    const { tasks } = this.#world;
    this.#scheduleConnections();
    let arrival = 0;
    let frame = 1;
    for (;;) {
      const nextArrival = tasks.at[arrival] ?? Infinity;
      const nextFrame = frame * FRAME_MS < DURATION_MS ? frame * FRAME_MS : Infinity;
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
        this.#applyEvent(this.#events.pop(), now);
      }
      this.#dispatch(now);
    }
    // No worker is left for the tasks that are still queued.
    for (const { task } of this.#queue.slice(this.#served)) this.#fail(task);
    return {
      latencies: this.#latencies,
      attempts: this.#attempts,
      failedAttempts: this.#failedAttempts,
      lostAttempts: this.#lostAttempts,
      failedTasks: this.#failedTasks,
      largestShare: Math.max(...this.#assigned) / this.#attempts,
    };
  }

  /** Connects the workers that are up, and schedules when the mesh notices disconnections and reconnections. */
  #scheduleConnections(): void {
    for (const [worker, { outages }] of this.#world.workers.entries()) {
      if (isUp(this.#world, worker, 0)) this.#mesh.connect(worker, 0);
      for (const { noticedAt: seen, to } of outages) {
        if (seen >= 0 && seen < DURATION_MS) this.#events.push(seen, disconnectEvent(worker));
        if (to < DURATION_MS) this.#events.push(to, reconnectEvent(worker));
      }
    }
  }

  #ping(frame: number, now: number): void {
    for (let worker = frame % PING_FRAMES; worker < WORKERS; worker += PING_FRAMES) {
      if (this.#mesh.connected[worker] === 1 && isUp(this.#world, worker, now))
        this.#mesh.ping(worker, now);
    }
  }

  #applyEvent(event: number, now: number): void {
    if (event >= 0) {
      this.#recordAttemptEnd(event, now);
      return;
    }
    const worker = workerOf(event);
    if (event === disconnectEvent(worker)) {
      this.#mesh.connected[worker] = 0;
    } else {
      this.#free[worker]?.fill(now);
      this.#mesh.connect(worker, now);
    }
  }

  #dispatch(now: number): void {
    while (this.#served < this.#queue.length) {
      const task = this.#queue[this.#served] as WaitingTask;
      const worker = this.#policy.pick(task, now);
      if (worker < 0) break;
      this.#served++;
      const end = this.#predict(task, worker, now);
      if (this.#mesh.connected[worker] === 1) occupy(this.#free[worker], end.freeAt);
      this.#mesh.recordAssignment(worker, now);
      this.#assigned[worker] = (this.#assigned[worker] as number) + 1;
      this.#attempts++;
      const index = this.#freeIndexes.pop() ?? this.#pending.length;
      this.#pending[index] = { task, worker, end };
      this.#events.push(end.endsAt, index);
    }
    if (this.#served > SERVED_PREFIX_MAX && this.#served * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#served);
      this.#served = 0;
    }
  }

  #recordAttemptEnd(index: number, now: number): void {
    const { task, worker, end } = this.#pending[index] as Attempt;
    this.#freeIndexes.push(index);
    this.#mesh.recordAttemptEnd(worker, end.kind, end.serviceMs, now);
    if (end.kind === "success") {
      this.#latencies[task.task] = now - (this.#world.tasks.at[task.task] as number);
      return;
    }
    this.#failedAttempts++;
    if (end.kind === "timeout") this.#lostAttempts++;
    const retried = { ...task, tried: [...task.tried, worker] };
    if (retried.tried.length >= ATTEMPTS_MAX) this.#fail(task.task);
    else if (this.#served > 0) this.#queue[--this.#served] = retried;
    else this.#queue.unshift(retried);
  }

  #fail(task: number): void {
    this.#failedTasks++;
    this.#latencies[task] = FAILED_TASK_MS;
  }

  #predict({ task, controller, tried }: WaitingTask, worker: number, now: number): AttemptEnd {
    const world = this.#world;
    if (this.#mesh.connected[worker] === 0)
      return { endsAt: now, kind: "failure", freeAt: 0, serviceMs: null };
    const rtt = world.rttLater(controller, worker, now);
    const startsAt = Math.max(now + rtt / 2, earliest(this.#free[worker]));
    const serviceMs = world.serviceMs(task, worker);
    const fault = world.faultAt(task, worker, tried.length);
    const freeAt = startsAt + serviceMs * (fault ?? 1);
    const at = freeAt + rtt / 2;
    const outage = world.outage(worker, now);
    const lost = outage !== undefined && outage.from < freeAt;
    if (lost || at > now + ATTEMPT_TIMEOUT_MS) {
      const noticed = Math.min(lost ? outage.noticedAt : Infinity, now + ATTEMPT_TIMEOUT_MS);
      return { endsAt: Math.max(now, noticed), kind: "timeout", freeAt, serviceMs: null };
    }
    return fault === null
      ? { endsAt: at, kind: "success", freeAt, serviceMs }
      : { endsAt: at, kind: "failure", freeAt, serviceMs: null };
  }
}

/** Connection events of workers are negative numbers: disconnections even, reconnections odd. */
const disconnectEvent = (worker: number): number => -2 - 2 * worker;
const reconnectEvent = (worker: number): number => -3 - 2 * worker;
const workerOf = (event: number): number => (-2 - event) >> 1;

const isUp = (world: World, worker: number, at: number): boolean => {
  const outage = world.outage(worker, at);
  return outage === undefined || outage.from > at;
};

const earliest = (slots: Float64Array = NONE): number => {
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
