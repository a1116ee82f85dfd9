import { MINUTE } from "../../src/base/clock.ts";
import { sampleRtt, type RttEstimate } from "../../src/scoring/rtt.ts";
import {
  countOutcome,
  noOutcomes,
  type OutcomeKind,
  type Outcomes,
} from "../../src/scoring/outcomes.ts";
import { learn, type Learned } from "../../src/scoring/service-time.ts";
import { CONTROLLERS, WORKERS, type World } from "./world.ts";

const GIVEN_HALF_LIFE = 10 * MINUTE;

/** What the mesh knows, and no more: measured, counted, noticed. Every policy chooses from the same. */
export class Mesh {
  /** As the mesh sees it: a worker that went silently still counts. */
  readonly connected = new Uint8Array(WORKERS);
  readonly held = new Int32Array(WORKERS);
  readonly slots: Int32Array;
  readonly connectedAt = new Float64Array(WORKERS);
  readonly outcomes: Outcomes[] = Array.from({ length: WORKERS }, () => noOutcomes(0));
  readonly service: (Learned | null)[] = Array.from({ length: WORKERS }, () => null);
  /** Of all workers together. */
  serviceOfAll: Learned | null = null;
  /** By controller * WORKERS + worker: where a task comes from, the RTT is seen from. */
  readonly rtts: (RttEstimate | null)[] = Array.from({ length: CONTROLLERS * WORKERS }, () => null);
  /** How often anything was observed of a worker. */
  readonly observed = new Int32Array(WORKERS);
  /** go-p2p's reliability, 0..100 by steps. */
  readonly goP2pScore = new Float64Array(WORKERS).fill(50);
  /** Counts of tasks given: an older one weighs less because a later one weighs more. */
  readonly given = new Float64Array(WORKERS);
  givenInAll = 0;
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
    this.observed[worker] = (this.observed[worker] as number) + 1;
    for (let controller = 0; controller < CONTROLLERS; controller++) {
      const pair = controller * WORKERS + worker;
      const sample = this.world.rtt(controller, worker, now);
      this.rtts[pair] = sampleRtt(this.rtts[pair] ?? null, sample);
    }
  }

  give(worker: number, now: number): void {
    this.held[worker] = (this.held[worker] ?? 0) + 1;
    const weight = 2 ** (now / GIVEN_HALF_LIFE);
    this.given[worker] = (this.given[worker] as number) + weight;
    this.givenInAll += weight;
  }

  settle(worker: number, kind: OutcomeKind, serviceMs: number | null, now: number): void {
    this.held[worker] = (this.held[worker] ?? 0) - 1;
    this.observed[worker] = (this.observed[worker] as number) + 1;
    this.outcomes[worker] = countOutcome(this.outcomes[worker] ?? noOutcomes(now), kind, now);
    const change = { success: 1, failure: -5, timeout: -3, refusal: 0 }[kind];
    this.goP2pScore[worker] = Math.max(0, Math.min(100, (this.goP2pScore[worker] ?? 0) + change));
    if (serviceMs === null) return;
    this.service[worker] = learn(this.service[worker] ?? null, serviceMs);
    this.serviceOfAll = learn(this.serviceOfAll, serviceMs);
  }
}
