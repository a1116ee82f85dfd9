import { noOutcomes } from "../../src/scoring/outcomes.ts";
import type { Candidate, Demand } from "../../src/tasks/eligibility.ts";
import type { Evidence } from "../../src/tasks/evidence.ts";

/** A peer that may have any task that `demand` makes. */
export const candidate = (more: Partial<Candidate> = {}): Candidate => ({
  peerId: "peer",
  role: "worker",
  active: true,
  kinds: ["*"],
  capabilities: [],
  slots: 1,
  prefetch: false,
  held: 0,
  score: 0.5,
  evidence: evidence(),
  ...more,
});

/** A peer of which nothing is known, but that it has been here for a while. */
export const evidence = (more: Partial<Evidence> = {}): Evidence => ({
  rttMs: null,
  rttVarianceMs: null,
  outcomes: noOutcomes(0),
  service: null,
  connectedAt: null,
  share: 0,
  nearMs: null,
  ...more,
});

interface Wanted {
  readonly kind?: string;
  readonly requirements?: Partial<Demand["requirements"]>;
  readonly tried?: readonly string[];
  readonly refused?: readonly string[];
  readonly service?: Demand["service"];
  readonly incumbent?: string | null;
  readonly othersCouldTake?: boolean;
  readonly panic?: boolean;
}

export const demand = (wanted: Wanted = {}): Demand => ({
  kind: wanted.kind ?? "echo",
  requirements: { capabilities: [], ...wanted.requirements },
  tried: new Set(wanted.tried),
  refused: new Set(wanted.refused),
  service: wanted.service ?? null,
  incumbent: wanted.incumbent ?? null,
  othersCouldTake: wanted.othersCouldTake ?? false,
  panic: wanted.panic ?? false,
});
