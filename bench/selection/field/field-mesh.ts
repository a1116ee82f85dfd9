import { sampleRtt, type RttEstimate } from "../../../src/scoring/rtt.ts";
import { CONTROLLERS } from "../tasks.ts";
import type { SimulatedWorld } from "./field-world.ts";

/** What the mesh knows of connections and held tasks, the same under every policy. */
export class FieldMesh {
  readonly world: SimulatedWorld;
  /** As the mesh sees it: a worker that disconnected silently still counts as connected. */
  readonly connected: Uint8Array;
  readonly connectedAt: Float64Array;
  readonly held: Int32Array;
  /** By worker * kinds + kind. */
  readonly heldOfKind: Int32Array;
  /** By controller * workers + worker. */
  readonly rtts: (RttEstimate | null)[];

  constructor(world: SimulatedWorld) {
    const { length } = world.workers;
    this.world = world;
    this.connected = new Uint8Array(length);
    this.connectedAt = new Float64Array(length);
    this.held = new Int32Array(length);
    this.heldOfKind = new Int32Array(length * world.kinds);
    this.rtts = Array.from({ length: CONTROLLERS * length }, () => null);
  }

  connect(worker: number, now: number): void {
    this.connected[worker] = 1;
    this.connectedAt[worker] = now;
    this.ping(worker, now);
  }

  ping(worker: number, now: number): void {
    for (let controller = 0; controller < CONTROLLERS; controller++) {
      const pair = controller * this.world.workers.length + worker;
      const sample = this.world.rtt(controller, worker, now);
      this.rtts[pair] = sampleRtt(this.rtts[pair] ?? null, sample);
    }
  }

  hold(worker: number, kind: number, change: 1 | -1): void {
    const pair = worker * this.world.kinds + kind;
    this.held[worker] = (this.held[worker] as number) + change;
    this.heldOfKind[pair] = (this.heldOfKind[pair] as number) + change;
  }

  /** Whether the mesh takes the worker to handle the kind. */
  handles(worker: number, kind: number): boolean {
    return this.world.settings.announced === false || this.world.canDo(worker, kind);
  }
}

/** A queued task, as a policy sees it. */
export interface FieldTask {
  readonly task: number;
  readonly controller: number;
  readonly kind: number;
  /** Failures so far, each with its worker. */
  readonly tried: readonly number[];
  /** Refusals so far, each with its worker. */
  readonly refused: readonly Refused[];
}

interface Refused {
  readonly worker: number;
  readonly at: number;
}

type AttemptOutcome = "success" | "failure" | "timeout" | "refusal" | "interrupted";

export interface AttemptEnd {
  /** When the mesh notices the end. */
  readonly endsAt: number;
  readonly outcome: AttemptOutcome;
  /** When the slot becomes free. */
  readonly freeAt: number;
  /** From beginning to result as the mesh sees it; null when the attempt did not succeed. */
  readonly serviceMs: number | null;
}

/** How an attempt would end if the task were assigned to the worker now. */
type Foresee = (task: FieldTask, worker: number, now: number) => AttemptEnd;

export interface FieldPolicy {
  /** The worker for the task; -1 if it must wait. `cell`: the cell that has the task. */
  pick(task: FieldTask, now: number, cell: number): number;
  /** Learns from the end of an attempt. Returns when a resting worker may be probed, if that is new. */
  ended(task: FieldTask, worker: number, end: AttemptEnd, now: number): number | null;
}

export type MakeFieldPolicy = (mesh: FieldMesh, foresee: Foresee) => FieldPolicy;

/** The tasks that wait, in one queue or in one for each cell. */
export interface FieldTasks {
  push(task: FieldTask, now: number): void;
  /** The tasks that are still queued. */
  rest(): Iterable<FieldTask>;
  /** Offers the queued tasks to `assign`, until no kind has one that a worker may have. */
  assign(now: number, assign: (task: FieldTask, cell: number) => boolean): void;
  /** When something happens to them by itself; null if nothing does. */
  wakesAt(now: number): number | null;
}

export type MakeFieldTasks = (mesh: FieldMesh, policy: FieldPolicy) => FieldTasks;
