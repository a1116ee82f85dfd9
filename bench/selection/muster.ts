import { earnedSlots, SLOTS_UNEARNED } from "../../src/scoring/earned-slots.ts";
import { badOutcomes, outcomesAt } from "../../src/scoring/outcomes.ts";
import { score } from "../../src/scoring/score.ts";
import { choose } from "../../src/tasks/assignment.ts";
import { placesOf, type Candidate, type Demand } from "../../src/tasks/eligibility.ts";
import type { Evidence } from "../../src/tasks/evidence.ts";
import type { Policy } from "../../src/tasks/policy.ts";
import { keyedRandom } from "./keyed.ts";
import type { MeshState } from "./mesh.ts";
import { RANDOM_STREAM } from "./rankings.ts";
import type { MakePolicy } from "./simulate.ts";
import { CONTROLLERS } from "./tasks.ts";
import { WORKERS } from "./world.ts";

/** Muster's own `choose`, with one of its policies. */
export const muster =
  (policy: Policy): MakePolicy =>
  (mesh) => {
    const candidates = Array.from({ length: WORKERS }, (_, worker) => newCandidate(mesh, worker));
    const scores = new Scores(mesh);
    const earns = policy.failedLast === true;
    let incumbent: string | null = null;
    return {
      pick(task, now) {
        let room = false;
        for (let worker = 0; worker < WORKERS; worker++) {
          const candidate = candidates[worker] as WritableCandidate;
          candidate.active = mesh.connected[worker] === 1;
          candidate.held = mesh.held[worker] as number;
          if (earns) candidate.earnedSlots = earnedOf(mesh, worker);
          if (!candidate.active || candidate.held >= placesOf(candidate)) continue;
          room = true;
          if (policy.name === "best-score") {
            candidate.score = scores.of(task.controller, worker, now);
          } else {
            const { evidence } = candidate;
            const rtt = mesh.rtts[task.controller * WORKERS + worker] ?? null;
            evidence.rttMs = rtt === null ? null : rtt.smoothedMs;
            evidence.rttVarianceMs = rtt === null ? null : rtt.varianceMs;
            evidence.outcomes = mesh.outcomes[worker] as Evidence["outcomes"];
            evidence.service = mesh.service[worker] ?? null;
            evidence.connectedAt = mesh.connectedAt[worker] as number;
            evidence.share = (mesh.assigned[worker] as number) / Math.max(1, mesh.assignedTotal);
          }
        }
        if (!room) return -1;
        const demand: Demand = {
          kind: "work",
          requirements: { capabilities: [] },
          tried: new Set(task.tried.map(String)),
          refused: NO_PEERS,
          service: mesh.serviceOverall,
          incumbent,
        };
        let drawn = 8 * task.tried.length;
        const random = () => keyedRandom(mesh.world.seed, RANDOM_STREAM, task.task, drawn++);
        const { peer } = choose(demand, candidates, now, random, policy);
        if (peer === null) return -1;
        incumbent = peer.peerId;
        return Number(peer.peerId);
      },
    };
  };

/** Slots beyond four must be earned. */
function earnedOf(mesh: MeshState, worker: number): number {
  const slots = mesh.slots[worker] as number;
  return slots > SLOTS_UNEARNED ? earnedSlots(mesh.parallelism[worker] ?? null) : slots;
}

const NO_PEERS: ReadonlySet<string> = new Set();

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type WritableCandidate = Writable<Omit<Candidate, "evidence">> & {
  readonly evidence: Writable<Evidence>;
};

/** One object per worker, updated for each choice: a run makes millions of choices. */
const newCandidate = (mesh: MeshState, worker: number): WritableCandidate => ({
  peerId: String(worker),
  role: "worker",
  active: true,
  kinds: ["*"],
  capabilities: [],
  slots: mesh.slots[worker] as number,
  earnedSlots: mesh.slots[worker],
  prefetch: true,
  held: 0,
  score: 0,
  evidence: {
    rttMs: null,
    rttVarianceMs: null,
    outcomes: mesh.outcomes[worker] as Evidence["outcomes"],
    service: null,
    connectedAt: null,
    share: 0,
    nearMs: null,
  },
});

/** Scores as the registry stores them: computed after an observation, not when they are read. */
class Scores {
  readonly #mesh: MeshState;
  readonly #scores = new Float64Array(CONTROLLERS * WORKERS);
  readonly #observed = new Int32Array(CONTROLLERS * WORKERS).fill(-1);

  constructor(mesh: MeshState) {
    this.#mesh = mesh;
  }

  of(controller: number, worker: number, now: number): number {
    const pair = controller * WORKERS + worker;
    const observed = this.#mesh.observations[worker] as number;
    if (this.#observed[pair] !== observed) {
      this.#observed[pair] = observed;
      const outcomes = outcomesAt(this.#mesh.outcomes[worker] as Evidence["outcomes"], now);
      this.#scores[pair] = score({
        rttMs: this.#mesh.rtts[pair]?.smoothedMs ?? null,
        hops: null,
        hopsKnown: 0,
        direct: true,
        geoKm: this.#mesh.world.km[pair] as number,
        successes: outcomes.successes,
        failures: badOutcomes(outcomes),
        uptime: null,
      }).score;
    }
    return this.#scores[pair] as number;
  }
}
