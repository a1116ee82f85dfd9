import { MINUTE } from "../../src/base/clock.ts";
import { addServed, type Parallelism } from "../../src/scoring/earned-slots.ts";
import { sampleRtt, type RttEstimate } from "../../src/scoring/rtt.ts";
import {
  countOutcome,
  noOutcomes,
  type OutcomeKind,
  type Outcomes,
} from "../../src/scoring/outcomes.ts";
import {
  addServiceTime,
  averageServiceTime,
  type PeerServiceTime,
  type ServiceTime,
} from "../../src/scoring/service-time.ts";
import { CONTROLLERS } from "./tasks.ts";
import { WORKERS, type World } from "./world.ts";

const ASSIGNED_HALF_LIFE = 10 * MINUTE;

/** What the mesh knows about its workers, from measurements and outcomes. Every policy chooses from the same state. */
export class MeshState {
  /** As the mesh sees it: a worker that disconnected silently still counts as connected. */
  readonly connected = new Uint8Array(WORKERS);
  readonly held = new Int32Array(WORKERS);
  readonly slots: Int32Array;
  readonly connectedAt = new Float64Array(WORKERS);
  readonly outcomes: Outcomes[] = Array.from({ length: WORKERS }, () => noOutcomes(0));
  readonly service: (PeerServiceTime | null)[] = Array.from({ length: WORKERS }, () => null);
  /** How many tasks each worker serves at once, as far as it is seen. */
  readonly parallelism: (Parallelism | null)[] = Array.from({ length: WORKERS }, () => null);
  /** The service time over all workers. */
  serviceOverall: ServiceTime | null = null;
  /** By controller * WORKERS + worker: the RTT is measured from the controller of the task. */
  readonly rtts: (RttEstimate | null)[] = Array.from({ length: CONTROLLERS * WORKERS }, () => null);
  /** The number of observations of each worker. */
  readonly observations = new Int32Array(WORKERS);
  /** The reliability score of go-p2p, 0 to 100. */
  readonly goP2pScore = new Float64Array(WORKERS).fill(50);
  /** Weighted counts of assigned tasks: each task weighs more than the ones before it, which has the effect of decay. */
  readonly assigned = new Float64Array(WORKERS);
  assignedTotal = 0;
  readonly world: World;

  constructor(world: World) {
    this.world = world;
    this.slots = Int32Array.from(world.workers, ({ slots }) => slots);
  }

  connect(worker: number, now: number): void {
    this.connected[worker] = 1;
    this.connectedAt[worker] = now;
    this.ping(worker, now);
  }

  ping(worker: number, now: number): void {
    this.observations[worker] = (this.observations[worker] as number) + 1;
    for (let controller = 0; controller < CONTROLLERS; controller++) {
      const pair = controller * WORKERS + worker;
      const sample = this.world.rtt(controller, worker, now);
      this.rtts[pair] = sampleRtt(this.rtts[pair] ?? null, sample);
    }
  }

  recordAssignment(worker: number, now: number): void {
    this.held[worker] = (this.held[worker] ?? 0) + 1;
    const weight = 2 ** (now / ASSIGNED_HALF_LIFE);
    this.assigned[worker] = (this.assigned[worker] as number) + weight;
    this.assignedTotal += weight;
  }

  recordAttemptEnd(worker: number, kind: OutcomeKind, serviceMs: number | null, now: number): void {
    this.held[worker] = (this.held[worker] ?? 0) - 1;
    this.observations[worker] = (this.observations[worker] as number) + 1;
    this.outcomes[worker] = countOutcome(this.outcomes[worker] ?? noOutcomes(now), kind, now);
    const change = { success: 1, failure: -5, timeout: -3, refusal: 0 }[kind];
    this.goP2pScore[worker] = Math.max(0, Math.min(100, (this.goP2pScore[worker] ?? 0) + change));
    if (serviceMs === null) return;
    if (this.serviceOverall !== null) {
      const ratio = serviceMs / this.serviceOverall.meanMs;
      // The task that ended is no longer held. One that waits for a slot is not served.
      const running = Math.min(this.held[worker] + 1, this.slots[worker] as number);
      this.parallelism[worker] = addServed(this.parallelism[worker] ?? null, { ratio, running });
    }
    this.service[worker] = addServiceTime(this.service[worker] ?? null, serviceMs, now);
    this.serviceOverall = averageServiceTime(this.serviceOverall, serviceMs);
  }
}
