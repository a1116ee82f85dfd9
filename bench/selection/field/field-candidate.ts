import { MINUTE } from "../../../src/base/clock.ts";
import { SLOTS_UNEARNED } from "../../../src/scoring/earned-slots.ts";
import { noOutcomes } from "../../../src/scoring/outcomes.ts";
import type { Candidate } from "../../../src/tasks/eligibility.ts";
import type { Evidence } from "../../../src/tasks/evidence.ts";
import type { FieldTask } from "./field-mesh.ts";

/** A peer that refused a task is not offered it again for this long. */
const REFUSAL_PAUSE = MINUTE;

/** The workers that refused the task a moment ago. */
export const refusedBy = ({ refused }: FieldTask, now: number): readonly number[] =>
  refused.filter(({ at }) => now - at < REFUSAL_PAUSE).map(({ worker }) => worker);

const NO_PEERS: ReadonlySet<string> = new Set();

/** The peer IDs of workers. */
export const idsOf = (workers: readonly number[]): ReadonlySet<string> =>
  workers.length === 0 ? NO_PEERS : new Set(workers.map(String));

type Writable<T> = { -readonly [K in keyof T]: T[K] };
export type WritableCandidate = Writable<Omit<Candidate, "evidence" | "earnedSlots">> & {
  earnedSlots: number;
  readonly evidence: Writable<Evidence>;
};

/** One object per worker, updated for each choice: a run makes millions of choices. */
export const newCandidate = (worker: number, slots: number, earns: boolean): WritableCandidate => ({
  peerId: String(worker),
  role: "worker",
  active: true,
  kinds: ["*"],
  capabilities: [],
  slots,
  earnedSlots: earns ? SLOTS_UNEARNED : slots,
  prefetch: true,
  held: 0,
  score: 0,
  circuit: "closed",
  probing: false,
  evidence: {
    rttMs: null,
    rttVarianceMs: null,
    outcomes: noOutcomes(0),
    service: null,
    connectedAt: null,
    share: 0,
    nearMs: null,
  },
});
