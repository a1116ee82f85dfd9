import { quarterJitter } from "../../../src/base/backoff.ts";
import { addServed, earnedSlots, type Parallelism } from "../../../src/scoring/earned-slots.ts";
import { countOutcome, noOutcomes, type Outcomes } from "../../../src/scoring/outcomes.ts";
import {
  addServiceTime,
  averageServiceTime,
  type PeerServiceTime,
  type ServiceTime,
} from "../../../src/scoring/service-time.ts";
import { choose } from "../../../src/tasks/assignment.ts";
import {
  afterExoneration,
  afterFailure,
  afterRefusal,
  afterSuccess,
  circuitState,
  EXONERATED_WEIGHT,
  failureWeight,
  isPanic,
  isProbed,
  jointState,
  NEW_CIRCUIT,
  peerWeight,
  type Circuit,
  type CircuitState,
} from "../../../src/tasks/circuit.ts";
import { placesOf, type Demand } from "../../../src/tasks/eligibility.ts";
import {
  usualRate,
  countAttempt,
  kindWeight,
  type FailureRate,
} from "../../../src/tasks/failure-rate.ts";
import type { ExpectedCost } from "../../../src/tasks/policy.ts";
import { keyedRandom } from "../keyed.ts";
import { RANDOM_STREAM } from "../rankings.ts";
import { ALL_FEATURES, type Features } from "./field-features.ts";
import { idsOf, newCandidate, refusedBy, type WritableCandidate } from "./field-candidate.ts";
import type {
  AttemptEnd,
  FieldMesh,
  FieldPolicy,
  FieldTask,
  MakeFieldPolicy,
} from "./field-mesh.ts";

/** Muster's own `choose`, circuits and earned slots, driven as the coordinator does. */
export const fieldMuster =
  (policy: ExpectedCost, features: Features = ALL_FEATURES): MakeFieldPolicy =>
  (mesh) =>
    new FieldMuster(mesh, policy, features);

/** A probe that fails says nothing new about the peer's reliability. */
const PROBE_OUTCOME_WEIGHT = 0.25;
const JITTER_STREAM = 110;

export class FieldMuster implements FieldPolicy {
  readonly #mesh: FieldMesh;
  readonly #policy: ExpectedCost;
  readonly #features: Features;
  readonly #kinds: number;
  /** The workers that it assigns tasks to. */
  readonly #own: readonly number[];
  /** By worker. */
  readonly #candidates: readonly WritableCandidate[];
  readonly #outcomes: Outcomes[];
  readonly #parallelism: (Parallelism | null)[];
  readonly #peerCircuits: Circuit[];
  /** By worker * kinds + kind. */
  readonly #circuits: Circuit[];
  readonly #service: (ServiceTime | null)[];
  readonly #done: Uint8Array;
  /** By kind. */
  readonly #serviceOverall: (ServiceTime | null)[];
  readonly #failureRates: (FailureRate | null)[];
  readonly #incumbents: (string | null)[];
  /** Of each task that failed, in the order of its attempts: whether the peer was in good standing. */
  readonly #goodStanding = new Map<number, readonly boolean[]>();
  #draws = 0;

  constructor(
    mesh: FieldMesh,
    policy: ExpectedCost,
    features: Features,
    own: readonly number[] = [...mesh.world.workers.keys()],
  ) {
    const workers = mesh.world.workers.length;
    this.#own = own;
    this.#outcomes = Array.from({ length: workers }, () => noOutcomes(0));
    this.#parallelism = Array.from({ length: workers }, () => null);
    this.#peerCircuits = Array.from({ length: workers }, () => NEW_CIRCUIT);
    this.#mesh = mesh;
    this.#policy = policy;
    this.#features = features;
    this.#kinds = mesh.world.kinds;
    const pairs = workers * this.#kinds;
    this.#circuits = Array.from({ length: pairs }, () => NEW_CIRCUIT);
    this.#service = Array.from({ length: pairs }, () => null);
    this.#done = new Uint8Array(pairs);
    this.#serviceOverall = Array.from({ length: this.#kinds }, () => null);
    this.#failureRates = Array.from({ length: this.#kinds }, () => null);
    this.#incumbents = Array.from({ length: this.#kinds }, () => null);
    this.#candidates = Array.from({ length: workers }, (_, worker) =>
      newCandidate(worker, mesh.world.slots[worker] as number, features.earnedSlots),
    );
  }

  pick(task: FieldTask, now: number): number {
    const { kind } = task;
    const passed: WritableCandidate[] = [];
    let [capable, resting, others] = [0, 0, 0];
    for (const worker of this.#own) {
      if (this.#mesh.connected[worker] === 0 || !this.#mesh.handles(worker, kind)) continue;
      const circuit = this.#features.circuits ? this.stateOf(worker, kind, now) : "closed";
      if (circuit === "refusing") continue;
      capable++;
      if (circuit === "open") resting++;
      else if (!task.tried.includes(worker)) others++;
      const candidate = this.#candidates[worker] as WritableCandidate;
      candidate.held = this.#mesh.held[worker] as number;
      if (this.#features.circuits)
        candidate.prefetch = this.#done[worker * this.#kinds + kind] === 1;
      if (candidate.held >= placesOf(candidate)) continue;
      candidate.circuit = circuit;
      if (this.#features.circuits) candidate.probing = this.#isProbing(worker, kind);
      passed.push(candidate);
    }
    if (passed.length === 0) return -1;
    for (const candidate of passed) this.#setEvidence(candidate, task);
    const demand: Demand = {
      kind: "work",
      requirements: { capabilities: [] },
      tried: idsOf(task.tried),
      refused: idsOf(refusedBy(task, now)),
      service: this.#serviceOverall[kind] ?? null,
      incumbent: this.#incumbents[kind] ?? null,
      othersCouldTake: this.#features.circuits && others > 0,
      panic: this.#features.circuits && isPanic(resting, capable),
    };
    const choice = this.#draws++;
    let drawn = 0;
    const random = () => keyedRandom(this.#mesh.world.seed, RANDOM_STREAM, choice, drawn++);
    const { peer } = choose(demand, passed, now, random, this.#policy);
    if (peer === null) return -1;
    this.#incumbents[kind] = peer.peerId;
    return Number(peer.peerId);
  }

  /** How long a task of a kind takes; null: unknown. */
  meanMsOf = (kind: number): number | null => this.#serviceOverall[kind]?.meanMs ?? null;

  ended(task: FieldTask, worker: number, end: AttemptEnd, now: number): number | null {
    switch (end.outcome) {
      case "success":
        this.#succeeded(task, worker, end.serviceMs ?? 0, now);
        return null;
      case "refusal":
        return this.#refused(task, worker, now);
      case "interrupted":
        this.#count(worker, "timeout", 1, now);
        return null;
      case "failure":
      case "timeout":
        return this.#failedAt(task, worker, end.outcome, now);
      default:
        return end.outcome satisfies never;
    }
  }

  stateOf(worker: number, kind: number, now: number): CircuitState {
    const ofKind = this.#circuits[worker * this.#kinds + kind] as Circuit;
    const ofPeer = this.#peerCircuits[worker] as Circuit;
    if (ofKind.restsUntil === null && ofPeer.restsUntil === null) return "closed";
    return jointState([circuitState(ofKind, now), circuitState(ofPeer, now)]);
  }

  /** A resting peer is probed by any task that it holds: of the kind, or of any kind when the peer itself rests. */
  #isProbing(worker: number, kind: number): boolean {
    const { held, heldOfKind } = this.#mesh;
    const pair = worker * this.#kinds + kind;
    if (isProbed(this.#peerCircuits[worker] as Circuit, true)) return (held[worker] as number) > 0;
    return (
      isProbed(this.#circuits[pair] as Circuit, this.#done[pair] === 1) &&
      (heldOfKind[pair] as number) > 0
    );
  }

  #setEvidence({ peerId, evidence }: WritableCandidate, { controller, kind }: FieldTask): void {
    const worker = Number(peerId);
    const rtt = this.#mesh.rtts[controller * this.#mesh.world.workers.length + worker] ?? null;
    evidence.rttMs = rtt === null ? null : rtt.smoothedMs;
    evidence.rttVarianceMs = rtt === null ? null : rtt.varianceMs;
    evidence.outcomes = this.#outcomes[worker] as Outcomes;
    evidence.service = this.#service[worker * this.#kinds + kind] ?? null;
    evidence.connectedAt = this.#mesh.connectedAt[worker] as number;
  }

  #count(
    worker: number,
    outcome: "success" | "failure" | "timeout" | "refusal",
    weight: number,
    now: number,
  ): void {
    const before = this.#outcomes[worker] as Outcomes;
    this.#outcomes[worker] = countOutcome(before, outcome, now, weight);
  }

  #succeeded({ kind }: FieldTask, worker: number, serviceMs: number, now: number): void {
    const pair = worker * this.#kinds + kind;
    this.#count(worker, "success", 1, now);
    this.#done[pair] = 1;
    this.#circuits[pair] = afterSuccess(this.#circuits[pair] as Circuit, now);
    this.#peerCircuits[worker] = afterSuccess(this.#peerCircuits[worker] as Circuit, now);
    this.#failureRates[kind] = countAttempt(this.#failureRates[kind] ?? null, false, 1);
    const overall = this.#serviceOverall[kind] ?? null;
    if (this.#features.earnedSlots && overall !== null)
      this.#earn(worker, serviceMs / overall.meanMs);
    const before = this.#service[pair] ?? null;
    this.#service[pair] = this.#features.forgets
      ? addServiceTime(before as PeerServiceTime | null, serviceMs, now)
      : averageServiceTime(before, serviceMs);
    this.#serviceOverall[kind] = averageServiceTime(overall, serviceMs);
  }

  #earn(worker: number, ratio: number): void {
    const candidate = this.#candidates[worker] as WritableCandidate;
    const limit = Math.min(candidate.slots, candidate.earnedSlots);
    // The task that ended is no longer held.
    const running = Math.min((this.#mesh.held[worker] as number) + 1, limit);
    const known = addServed(this.#parallelism[worker] ?? null, { ratio, running });
    this.#parallelism[worker] = known;
    candidate.earnedSlots = earnedSlots(known);
  }

  #refused({ kind }: FieldTask, worker: number, now: number): number | null {
    this.#count(worker, "refusal", 1, now);
    const pair = worker * this.#kinds + kind;
    const before = this.#circuits[pair] as Circuit;
    const everSucceeded = this.#done[pair] === 1;
    const after = afterRefusal(before, { everSucceeded, reason: "kind not handled", now });
    return this.#opened(this.#circuits, pair, before, after, now);
  }

  #failedAt(
    { task, kind, tried }: FieldTask,
    worker: number,
    outcome: "failure" | "timeout",
    now: number,
  ): number | null {
    const pair = worker * this.#kinds + kind;
    const before = this.#circuits[pair] as Circuit;
    const state = this.stateOf(worker, kind, now);
    const standing = this.#goodStanding.get(task) ?? [];
    const others = standing.filter(
      (good, i) => good && tried[i] !== worker && tried.indexOf(tried[i] ?? -1) === i,
    ).length;
    this.#goodStanding.set(task, [...standing, state === "closed"]);
    const weight = failureWeight(others);
    const outcomes = this.#outcomes[worker] as Outcomes;
    const baseRate = usualRate(this.#failureRates[kind] ?? null, outcomes, now);
    const everSucceeded = this.#done[pair] === 1;
    if (others === 1) this.#exonerate(tried[standing.indexOf(true)] ?? -1, kind, baseRate, now);
    this.#count(worker, outcome, state === "closed" ? weight : PROBE_OUTCOME_WEIGHT * weight, now);
    const failure = { weight, baseRate, everSucceeded, error: outcome, now };
    const after = afterFailure(before, failure);
    const ofPeer = this.#peerCircuits[worker] as Circuit;
    const peerFailure = { ...failure, weight: weight * peerWeight(after.failuresInRow) };
    const peerRests = this.#opened(
      this.#peerCircuits,
      worker,
      ofPeer,
      afterFailure(ofPeer, peerFailure),
      now,
    );
    const kindsWeight = weight * kindWeight(after.failuresInRow, everSucceeded);
    this.#failureRates[kind] = countAttempt(this.#failureRates[kind] ?? null, true, kindsWeight);
    return this.#opened(this.#circuits, pair, before, after, now) ?? peerRests;
  }

  #exonerate(worker: number, kind: number, baseRate: number, now: number): void {
    if (worker < 0) return;
    const pair = worker * this.#kinds + kind;
    this.#count(worker, "failure", -EXONERATED_WEIGHT, now);
    this.#circuits[pair] = afterExoneration(this.#circuits[pair] as Circuit, {
      weight: EXONERATED_WEIGHT,
      baseRate,
      now,
    });
  }

  /** Stores a circuit, with jitter when it has just opened. Returns when it may be probed then. */
  #opened(all: Circuit[], at: number, before: Circuit, after: Circuit, now: number): number | null {
    all[at] = after;
    if (after.restsUntil === null || after.restsUntil === before.restsUntil) return null;
    const random = keyedRandom(this.#mesh.world.seed, JITTER_STREAM, at, Math.floor(now));
    const restsUntil = now + quarterJitter(after.restsUntil - now, random);
    all[at] = { ...after, restsUntil };
    return restsUntil;
  }
}
