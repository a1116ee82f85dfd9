import type { Candidate, Demand } from "../../src/tasks/eligibility.ts";

/** A peer that may have any task that `demand` makes. */
export const candidate = (more: Partial<Candidate> = {}): Candidate => ({
  peerId: "peer",
  role: "worker",
  active: true,
  speaksMuster: true,
  capabilities: [],
  slots: 1,
  prefetch: false,
  held: 0,
  score: 0.5,
  ...more,
});

interface Wanted {
  readonly kind?: string;
  readonly requirements?: Partial<Demand["requirements"]>;
  readonly tried?: readonly string[];
  readonly refused?: readonly string[];
}

export const demand = ({ kind = "echo", requirements, tried, refused }: Wanted = {}): Demand => ({
  kind,
  requirements: { capabilities: [], ...requirements },
  tried: new Set(tried),
  refused: new Set(refused),
});
