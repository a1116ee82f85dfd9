import { EventQueue } from "./event-queue.ts";
import { MeshState } from "./mesh.ts";
import type { Run, MakePolicy, WaitingTask } from "./simulate.ts";
import { FRAME_MS } from "./traces.ts";
import { DURATION_MS, WORKERS, type World } from "./world.ts";

const ATTEMPTS_MAX = 3;
/** The latency that a failed task counts as. */
const FAILED_TASK_MS = 90_000;

/**
 * Simulates one world in which the tasks of a worker share its cores: with more tasks than cores each runs slower by
 * that ratio (processor sharing). Workers have more slots than cores, as peers do whose handlers are expected to wait.
 * No worker disconnects here, so that only the choice makes the difference. How an attempt ends depends on later
 * choices, so that the oracle policy cannot predict it.
 */
export const simulateSharedCores = (world: World, make: MakePolicy): Run =>
  new SharedCores(world, make).run();

interface Running {
  readonly task: WaitingTask;
  readonly begunAt: number;
  readonly fails: boolean;
  /** Core time that is left, in milliseconds. */
  leftMs: number;
}

class SharedCores {
  readonly #world: World;
  readonly #mesh: MeshState;
  readonly #policy: ReturnType<MakePolicy>;
  readonly #running: Running[][] = Array.from({ length: WORKERS }, () => []);
  readonly #advancedAt = new Float64Array(WORKERS);
  /** An event of a worker counts only if nothing has changed there since it was scheduled. */
  readonly #changes = new Int32Array(WORKERS);
  readonly #events = new EventQueue();
  readonly #scheduled: { readonly worker: number; readonly change: number }[] = [];
  readonly #queue: WaitingTask[] = [];
  readonly #latencies: Float64Array;
  readonly #assigned = new Float64Array(WORKERS);
  #attempts = 0;
  #failedAttempts = 0;
  #failedTasks = 0;

  constructor(world: World, make: MakePolicy) {
    this.#world = world;
    this.#mesh = new MeshState(world);
    this.#latencies = new Float64Array(world.tasks.count);
    this.#policy = make(this.#mesh, () => {
      throw new Error("with shared cores the end of an attempt cannot be predicted");
    });
  }

  run(): Run {
    const { tasks } = this.#world;
    for (let worker = 0; worker < WORKERS; worker++) this.#mesh.connect(worker, 0);
    let [arrival, frame] = [0, 1];
    for (;;) {
      const nextArrival = tasks.at[arrival] ?? Infinity;
      const nextFrame = frame * FRAME_MS < DURATION_MS ? frame * FRAME_MS : Infinity;
      const now = Math.min(nextArrival, nextFrame, this.#events.next());
      if (now === Infinity) break;
      if (now === nextFrame) {
        for (let worker = frame++ % 2; worker < WORKERS; worker += 2) this.#mesh.ping(worker, now);
        continue;
      }
      if (now === nextArrival) {
        const controller = tasks.controller[arrival] ?? 0;
        this.#queue.push({ task: arrival++, controller, tried: [] });
      } else if (!this.#endNext(now)) continue;
      this.#dispatch(now);
    }
    return {
      latencies: this.#latencies,
      attempts: this.#attempts,
      failedAttempts: this.#failedAttempts,
      lostAttempts: 0,
      failedTasks: this.#failedTasks,
      largestShare: Math.max(...this.#assigned) / this.#attempts,
    };
  }

  #dispatch(now: number): void {
    for (let task = this.#queue[0]; task !== undefined; task = this.#queue[0]) {
      const worker = this.#policy.pick(task, now);
      if (worker < 0) return;
      this.#queue.shift();
      this.#begin(task, worker, now);
    }
  }

  #begin(task: WaitingTask, worker: number, now: number): void {
    this.#advance(worker, now);
    const fault = this.#world.faultAt(task.task, worker, task.tried.length);
    const leftMs = this.#world.serviceMs(task.task, worker) * (fault ?? 1);
    this.#running[worker]?.push({ task, begunAt: now, fails: fault !== null, leftMs });
    this.#mesh.recordAssignment(worker, now);
    this.#assigned[worker] = (this.#assigned[worker] as number) + 1;
    this.#attempts++;
    this.#schedule(worker, now);
  }

  /** How fast each task of a worker runs; 1 when it has a core of its own. */
  #rate(worker: number): number {
    const running = this.#running[worker]?.length ?? 0;
    return Math.min(1, (this.#world.workers[worker]?.cores ?? 1) / Math.max(1, running));
  }

  #advance(worker: number, now: number): void {
    const doneMs = (now - (this.#advancedAt[worker] as number)) * this.#rate(worker);
    for (const one of this.#running[worker] ?? []) one.leftMs -= doneMs;
    this.#advancedAt[worker] = now;
  }

  /** Schedules the end of the worker's next task; it replaces the one that was scheduled before. */
  #schedule(worker: number, now: number): void {
    const change = (this.#changes[worker] as number) + 1;
    this.#changes[worker] = change;
    const running = this.#running[worker] ?? [];
    if (running.length === 0) return;
    const leastMs = Math.min(...running.map(({ leftMs }) => leftMs));
    const at = now + Math.max(0, leastMs) / this.#rate(worker);
    this.#events.push(at, this.#scheduled.push({ worker, change }) - 1);
  }

  /** Ends the task whose end is the next event; false when the event was replaced. */
  #endNext(now: number): boolean {
    const event = this.#scheduled[this.#events.pop()];
    if (event === undefined || event.change !== this.#changes[event.worker]) return false;
    const { worker } = event;
    this.#advance(worker, now);
    const running = this.#running[worker] as Running[];
    const ended = running.reduce((least, one) => (one.leftMs < least.leftMs ? one : least));
    running.splice(running.indexOf(ended), 1);
    this.#record(worker, ended, now);
    this.#schedule(worker, now);
    return true;
  }

  #record(worker: number, { task, begunAt, fails }: Running, now: number): void {
    const kind = fails ? "failure" : "success";
    this.#mesh.recordAttemptEnd(worker, kind, fails ? null : now - begunAt, now);
    if (!fails) {
      const rtt = this.#world.rttLater(task.controller, worker, begunAt);
      this.#latencies[task.task] = now + rtt - (this.#world.tasks.at[task.task] as number);
      return;
    }
    this.#failedAttempts++;
    const retried = { ...task, tried: [...task.tried, worker] };
    if (retried.tried.length < ATTEMPTS_MAX) {
      this.#queue.unshift(retried);
      return;
    }
    this.#failedTasks++;
    this.#latencies[task.task] = FAILED_TASK_MS;
  }
}
