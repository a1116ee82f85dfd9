import { MINUTE } from "../../../src/base/clock.ts";
import {
  RETRY_BACKOFF_DEFAULT,
  RETRY_BACKOFF_MAX_DEFAULT,
} from "../../../src/protocol/constants.ts";
import { retryAt } from "../../../src/tasks/retry.ts";
import { EventQueue } from "../event-queue.ts";
import { keyedRandom } from "../keyed.ts";
import { FRAME_MS } from "../traces.ts";
import {
  FieldMesh,
  type AttemptEnd,
  type FieldPolicy,
  type FieldTask,
  type FieldTasks,
  type MakeFieldPolicy,
  type MakeFieldTasks,
} from "./field-mesh.ts";
import { FieldQueue } from "./field-queue.ts";
import type { SimulatedWorld } from "./field-world.ts";

const ATTEMPTS_MAX = 5;
/** Sessions that may be lost under a task before it fails. */
const INTERRUPTIONS_MAX = 20;
/** An attempt times out after this time. */
const ATTEMPT_TIMEOUT_MS = 30_000;
/** The latency that a failed task counts as. */
export const FAILED_TASK_MS = 90_000;
/** A worker is pinged once in this many frames. */
const PING_FRAMES = 2;
const RETRY_STREAM = 33;
const BACKOFF = { backoffMs: RETRY_BACKOFF_DEFAULT, backoffMaxMs: RETRY_BACKOFF_MAX_DEFAULT };
/** A task that had this many attempts and refusals keeps only the newest, as the mesh does. */
const REFUSALS_KEPT = 64;

export interface FieldRun {
  /** From submission to the end of each task, in milliseconds; `FAILED_TASK_MS` for a failed one. */
  readonly latencies: Float64Array;
  /** 1 for each task that failed. */
  readonly failed: Uint8Array;
  /** Of each failed task, from its submission. */
  readonly failedAfterMs: readonly number[];
  readonly attempts: readonly AttemptRecord[];
}

interface AttemptRecord {
  readonly task: number;
  readonly worker: number;
  readonly at: number;
  readonly end: AttemptEnd;
}

/** Simulates one world with one policy. */
export const simulateField = (
  world: SimulatedWorld,
  make: MakeFieldPolicy,
  makeTasks: MakeFieldTasks = () => new FieldQueue(world.kinds),
): FieldRun => new FieldSimulation(world, make, makeTasks).run();

/** Events other than the ends of attempts: they follow these numbers, counted from the last attempt. */
type Event =
  | { readonly type: "ended"; readonly task: FieldTask; readonly record: AttemptRecord }
  | { readonly type: "retry"; readonly task: FieldTask }
  | { readonly type: "disconnect" | "reconnect"; readonly worker: number }
  | { readonly type: "wake" };

/**
 * A discrete-event simulation that drives a policy as the coordinator does: tasks in the order of their submission, five
 * attempts with the usual pauses between them, a lost session counted apart. As in `simulate.ts`, the end of an attempt
 * is known when the task is assigned.
 */
class FieldSimulation {
  readonly #world: SimulatedWorld;
  readonly #mesh: FieldMesh;
  readonly #policy: FieldPolicy;
  readonly #times = new EventQueue();
  readonly #events: (Event | null)[] = [];
  readonly #freeIndexes: number[] = [];
  /** When each server of each worker becomes free. */
  readonly #free: readonly Float64Array[];
  readonly #queue: FieldTasks;
  readonly #interruptions = new Map<number, number>();
  readonly #latencies: Float64Array;
  readonly #failed: Uint8Array;
  readonly #failedAfterMs: number[] = [];
  readonly #attempts: AttemptRecord[] = [];

  constructor(world: SimulatedWorld, make: MakeFieldPolicy, makeTasks: MakeFieldTasks) {
    this.#world = world;
    this.#mesh = new FieldMesh(world);
    this.#free = Array.from(world.servers, (servers) => new Float64Array(servers));
    this.#latencies = new Float64Array(world.tasks.count);
    this.#failed = new Uint8Array(world.tasks.count);
    this.#policy = make(this.#mesh, (task, worker, now) => this.#foresee(task, worker, now));
    this.#queue = makeTasks(this.#mesh, this.#policy);
  }

  run(): FieldRun {
    const { tasks, durationMs } = this.#world;
    this.#scheduleConnections();
    let [arrival, frame] = [0, 1];
    for (;;) {
      const nextArrival = tasks.at[arrival] ?? Infinity;
      const nextFrame = frame * FRAME_MS < durationMs ? frame * FRAME_MS : Infinity;
      const now = Math.min(nextArrival, nextFrame, this.#times.next());
      if (now === Infinity) break;
      if (now === nextFrame) {
        this.#ping(frame++, now);
        continue;
      }
      if (now === nextArrival) this.#queue.push(this.#newTask(arrival++), now);
      else this.#apply(this.#times.pop(), now);
      // What happens at one moment is one decision.
      if (Math.min(tasks.at[arrival] ?? Infinity, this.#times.next()) > now) this.#dispatch(now);
    }
    for (const { task } of this.#queue.rest()) this.#fail(task, Infinity);
    return {
      latencies: this.#latencies,
      failed: this.#failed,
      failedAfterMs: this.#failedAfterMs,
      attempts: this.#attempts,
    };
  }

  #newTask(task: number): FieldTask {
    const { tasks, kindOf } = this.#world;
    return {
      task,
      controller: tasks.controller[task] as number,
      kind: kindOf[task] as number,
      tried: [],
      refused: [],
    };
  }

  #schedule(at: number, event: Event): void {
    const index = this.#freeIndexes.pop() ?? this.#events.length;
    this.#events[index] = event;
    this.#times.push(at, index);
  }

  #wakeAt(at: number | null): void {
    if (at !== null) this.#schedule(at, { type: "wake" });
  }

  /** Connects the workers that are up, and schedules when the mesh notices disconnections and reconnections. */
  #scheduleConnections(): void {
    const end = this.#world.durationMs;
    for (let worker = 0; worker < this.#world.workers.length; worker++) {
      if (this.#isUp(worker, 0)) this.#mesh.connect(worker, 0);
      for (const { noticedAt, to } of this.#world.outagesOf(worker)) {
        if (noticedAt >= 0 && noticedAt < end)
          this.#schedule(noticedAt, { type: "disconnect", worker });
        if (to < end) this.#schedule(to, { type: "reconnect", worker });
      }
    }
  }

  #isUp(worker: number, at: number): boolean {
    const outage = this.#world.outage(worker, at);
    return outage === undefined || outage.from > at;
  }

  #ping(frame: number, now: number): void {
    for (
      let worker = frame % PING_FRAMES;
      worker < this.#world.workers.length;
      worker += PING_FRAMES
    )
      if (this.#mesh.connected[worker] === 1 && this.#isUp(worker, now))
        this.#mesh.ping(worker, now);
  }

  #apply(index: number, now: number): void {
    const event = this.#events[index] as Event;
    this.#freeIndexes.push(index);
    switch (event.type) {
      case "ended":
        return this.#end(event.task, event.record, now);
      case "retry":
        return this.#queue.push(event.task, now);
      case "disconnect":
        this.#mesh.connected[event.worker] = 0;
        return;
      case "reconnect":
        this.#free[event.worker]?.fill(now);
        return this.#mesh.connect(event.worker, now);
      case "wake":
        return;
      default:
        event satisfies never;
    }
  }

  #dispatch(now: number): void {
    this.#queue.assign(now, (task, cell) => {
      const worker = this.#policy.pick(task, now, cell);
      if (worker >= 0) this.#assign(task, worker, now);
      return worker >= 0;
    });
    this.#wakeAt(this.#queue.wakesAt(now));
  }

  #assign(task: FieldTask, worker: number, now: number): void {
    const end = this.#foresee(task, worker, now);
    if (this.#mesh.connected[worker] === 1) occupy(this.#free[worker], end.freeAt);
    this.#mesh.hold(worker, task.kind, 1);
    const record: AttemptRecord = { task: task.task, worker, at: now, end };
    this.#attempts.push(record);
    this.#schedule(end.endsAt, { type: "ended", task, record });
  }

  #end(task: FieldTask, { worker, end }: AttemptRecord, now: number): void {
    this.#mesh.hold(worker, task.kind, -1);
    this.#wakeAt(this.#policy.ended(task, worker, end, now));
    switch (end.outcome) {
      case "success":
        this.#latencies[task.task] = now - (this.#world.tasks.at[task.task] as number);
        return;
      case "refusal": {
        const refused = [...task.refused.slice(1 - REFUSALS_KEPT), { worker, at: now }];
        this.#wakeAt(now + MINUTE);
        this.#queue.push({ ...task, refused }, now);
        return;
      }
      case "interrupted": {
        const times = (this.#interruptions.get(task.task) ?? 0) + 1;
        this.#interruptions.set(task.task, times);
        if (times > INTERRUPTIONS_MAX) this.#fail(task.task, now);
        else this.#queue.push(task, now);
        return;
      }
      case "failure":
      case "timeout": {
        const retried = { ...task, tried: [...task.tried, worker] };
        const failures = retried.tried.length;
        if (failures >= ATTEMPTS_MAX) return this.#fail(task.task, now);
        const random = () => keyedRandom(this.#world.seed, RETRY_STREAM, task.task, failures);
        const at = retryAt(BACKOFF, failures, now, random);
        this.#schedule(at, { type: "retry", task: retried });
        return;
      }
      default:
        end.outcome satisfies never;
    }
  }

  #fail(task: number, now: number): void {
    this.#failed[task] = 1;
    this.#latencies[task] = FAILED_TASK_MS;
    this.#failedAfterMs.push(now - (this.#world.tasks.at[task] as number));
  }

  #foresee({ task, kind, controller, tried }: FieldTask, worker: number, now: number): AttemptEnd {
    const world = this.#world;
    const none = { freeAt: 0, serviceMs: null };
    if (this.#mesh.connected[worker] === 0) return { endsAt: now, outcome: "failure", ...none };
    const rtt = world.rttLater(controller, worker, now);
    const outage = world.outage(worker, now);
    if (!world.canDo(worker, kind) && (outage === undefined || outage.from > now + rtt / 2))
      return { endsAt: now + rtt, outcome: "refusal", freeAt: now, serviceMs: null };
    const arrivesAt = now + rtt / 2;
    const at = Math.max(arrivesAt, earliest(this.#free[worker]));
    const attempt = { task, worker, kind, at };
    const workMs = world.serviceMsAt(attempt);
    const failsAfterMs = world.failsAfterMs(attempt, tried.length, workMs);
    const freeAt = at + (failsAfterMs ?? workMs);
    const lost = outage !== undefined && outage.from < freeAt;
    if (lost && outage.noticedAt <= now + ATTEMPT_TIMEOUT_MS)
      return {
        endsAt: Math.max(now, outage.noticedAt),
        outcome: "interrupted",
        freeAt,
        serviceMs: null,
      };
    const endsAt = freeAt + rtt / 2;
    const abortedAt = now + ATTEMPT_TIMEOUT_MS;
    if (lost || endsAt > abortedAt) {
      const stopsAt = Math.min(freeAt, Math.max(at, abortedAt));
      return { endsAt: abortedAt, outcome: "timeout", freeAt: stopsAt, serviceMs: null };
    }
    if (failsAfterMs !== null) return { endsAt, outcome: "failure", freeAt, serviceMs: null };
    // A peer with as many slots as servers begins a task when a slot is free. One with more begins all of them at once.
    const serial = (world.slots[worker] as number) > (world.servers[worker] as number);
    const serviceMs = freeAt - (serial ? arrivesAt : at);
    return { endsAt, outcome: "success", freeAt, serviceMs };
  }
}

const earliest = (servers: Float64Array = NONE): number =>
  servers.reduce((min, at) => Math.min(min, at), Infinity);

function occupy(servers: Float64Array = NONE, until: number): void {
  let first = 0;
  for (let i = 1; i < servers.length; i++)
    if ((servers[i] as number) < (servers[first] as number)) first = i;
  servers[first] = Math.max(servers[first] as number, until);
}

const NONE = new Float64Array(0);
