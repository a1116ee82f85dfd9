import * as fc from "fast-check";
import type { Candidate, Demand } from "../../src/tasks/eligibility.ts";
import type { Evidence } from "../../src/tasks/evidence.ts";
import { DEFAULT_POLICY, type Policy } from "../../src/tasks/policy.ts";
import { demand } from "./candidates.ts";

const IDS = Array.from("abcdefghijklmnopqrstuvwxyz");

const anyMs = fc.double({ min: 0, max: 100_000, noNaN: true });
const anyCount = fc.double({ min: 0, max: 1_000, noNaN: true });
const anyLearned = fc.option(fc.record({ meanMs: anyMs, weight: fc.integer({ min: 1, max: 64 }) }));

const anyEvidence: fc.Arbitrary<Evidence> = fc.record({
  rttMs: fc.option(anyMs),
  rttVarianceMs: fc.option(anyMs),
  outcomes: fc.record({
    successes: anyCount,
    failures: anyCount,
    timeouts: anyCount,
    refusals: anyCount,
    at: fc.nat(1e9),
  }),
  service: anyLearned,
  connectedAt: fc.option(fc.nat(1e9)),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  nearMs: fc.option(anyMs, { freq: 1 }),
});

/** Peers of different IDs, of which anything may be known; some may not have the task. */
export const anyCandidates: fc.Arbitrary<Candidate[]> = fc.uniqueArray(
  fc.record({
    peerId: fc.constantFrom(...IDS),
    role: fc.constantFrom("worker", "dual", "controller"),
    active: fc.boolean(),
    kinds: fc.constantFrom(["*"], ["*"], ["other"], []),
    capabilities: fc.subarray(["gpu", "tpu"]),
    slots: fc.integer({ min: 0, max: 3 }),
    prefetch: fc.boolean(),
    held: fc.integer({ min: 0, max: 3 }),
    score: fc.constantFrom(0, 0.25, 0.5, 1),
    evidence: fc.oneof(anyEvidence, fc.constant(NOTHING_KNOWN())),
    circuit: fc.constantFrom("closed", "closed", "half_open", "open", "refusing"),
    probing: fc.constantFrom(false, false, true),
    earnedSlots: fc.integer({ min: 1, max: 4 }),
  }),
  { selector: ({ peerId }) => peerId, maxLength: IDS.length },
);

/** Many peers alike, so that lots are drawn. */
function NOTHING_KNOWN(): Evidence {
  return {
    rttMs: null,
    rttVarianceMs: null,
    outcomes: { successes: 0, failures: 0, timeouts: 0, refusals: 0, at: 0 },
    service: null,
    connectedAt: null,
    share: 0,
    nearMs: null,
  };
}

export const anyDemand: fc.Arbitrary<Demand> = fc
  .record({
    kind: fc.constantFrom("echo", "go-p2p/get_stats"),
    capabilities: fc.subarray(["gpu"]),
    tried: fc.subarray(IDS.slice(0, 6)),
    refused: fc.subarray(IDS.slice(0, 3)),
    service: anyLearned,
    incumbent: fc.option(fc.constantFrom(...IDS)),
    othersCouldTake: fc.boolean(),
    panic: fc.boolean(),
  })
  .map(({ capabilities, ...more }) => demand({ ...more, requirements: { capabilities } }));

/** Tolerances under which most peers of the same rank share the load. */
const EVERYTHING_COMPARABLE = { timeShare: 10, timeMs: 1e5, lossMs: 1e5, deviations: 50 };

export const anyPolicy: fc.Arbitrary<Policy> = fc.oneof(
  fc.constant<Policy>({ name: "best-score" }),
  fc
    .record({
      newcomerShare: fc.constantFrom(0, 0.5, 1),
      probeShare: fc.constantFrom(0, 0.5, 1),
      failedLast: fc.boolean(),
      shareMax: fc.constantFrom(0.3, 1),
      hysteresis: fc.constantFrom(0, 0.3),
      nearBest: fc.constantFrom(1, 3, 8),
      loadSpreading: fc.constantFrom(null, DEFAULT_POLICY.loadSpreading, EVERYTHING_COMPARABLE),
    })
    .map((more): Policy => ({ ...DEFAULT_POLICY, ...more })),
);
