import { sampleRtt, type RttEstimate } from "../../../src/scoring/rtt.ts";
import { CONTROLLERS } from "../tasks.ts";
import { WORKERS } from "../world.ts";
import type { FieldWorld } from "./field-world.ts";

/** What the mesh knows of connections and held tasks, the same under every policy. */
export class FieldMesh {
  readonly world: FieldWorld;
  /** As the mesh sees it: a worker that disconnected silently still counts as connected. */
  readonly connected = new Uint8Array(WORKERS);
  readonly connectedAt = new Float64Array(WORKERS);
  readonly held = new Int32Array(WORKERS);
  /** By worker * kinds + kind. */
  readonly heldOfKind: Int32Array;
  /** By controller * WORKERS + worker. */
  readonly rtts: (RttEstimate | null)[] = Array.from({ length: CONTROLLERS * WORKERS }, () => null);

  constructor(world: FieldWorld) {
    this.world = world;
    this.heldOfKind = new Int32Array(WORKERS * world.kinds);
  }

  connect(worker: number, now: number): void {
    this.connected[worker] = 1;
    this.connectedAt[worker] = now;
    this.ping(worker, now);
  }

  ping(worker: number, now: number): void {
    for (let controller = 0; controller < CONTROLLERS; controller++) {
      const pair = controller * WORKERS + worker;
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
  /** The worker for the task; -1 if it must wait. */
  pick(task: FieldTask, now: number): number;
  /** Learns from the end of an attempt. Returns when a resting worker may be probed, if that is new. */
  ended(task: FieldTask, worker: number, end: AttemptEnd, now: number): number | null;
}

export type MakeFieldPolicy = (mesh: FieldMesh, foresee: Foresee) => FieldPolicy;
