import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countOutcome, noOutcomes, type OutcomeKind } from "../../src/scoring/outcomes.ts";
import { choose, ranking } from "../../src/tasks/assignment.ts";
import { exclusion, hasSlot, type Candidate } from "../../src/tasks/eligibility.ts";
import type { Evidence } from "../../src/tasks/evidence.ts";
import { expectedCost } from "../../src/tasks/expected-cost.ts";
import { DEFAULT_POLICY } from "../../src/tasks/policy.ts";
import { seededNumbers } from "../random.ts";
import { anyCandidates, anyDemand, anyPolicy } from "./arbitraries.ts";
import { candidate, demand, evidence } from "./candidates.ts";

const HOUR = 3_600_000;
/** Draws that try no newcomer. */
const NO_VENTURE = () => 0.999;
const VENTURE = () => 0;

const outcomes = (kinds: readonly OutcomeKind[]) =>
  kinds.reduce((counted, kind) => countOutcome(counted, kind, 0), noOutcomes(0));
const KNOWN: Partial<Evidence> = {
  rttMs: 100,
  rttVarianceMs: 0,
  outcomes: outcomes(Array<OutcomeKind>(20).fill("success")),
  connectedAt: -100 * HOUR,
};

const known = (peerId: string, more: Partial<Evidence> = {}, peer: Partial<Candidate> = {}) =>
  candidate({ peerId, evidence: evidence({ ...KNOWN, ...more }), ...peer });

const chosen = (
  peers: readonly Candidate[],
  more: Parameters<typeof demand>[0] = {},
  policy = DEFAULT_POLICY,
  random = NO_VENTURE,
) => choose(demand(more), peers, 0, random, policy).peer?.peerId;

describe("the expected cost", () => {
  test("AS50 is finite, never negative, and the sum of its parts, for any evidence", () => {
    fc.assert(
      fc.property(anyDemand, anyCandidates, fc.nat(1e12), (task, peers, now) => {
        for (const peer of peers) {
          const cost = expectedCost(task, peer, now, DEFAULT_POLICY);
          const { totalMs, ...rest } = cost;
          expect(Object.values(cost).every((ms) => Number.isFinite(ms) && ms >= 0)).toBe(true);
          expect(totalMs).toBeCloseTo(
            Object.values(rest).reduce((sum, ms) => sum + ms, 0),
            3,
          );
        }
      }),
    );
  });

  test.for<[string, Partial<Evidence>, Partial<Candidate>]>([
    ["a longer round trip", { rttMs: 150 }, {}],
    ["a round trip that varies more", { rttVarianceMs: 100 }, {}],
    ["a slower worker", { service: { meanMs: 3_000, weight: 20 } }, {}],
    ["a task that waits for a slot", {}, { held: 1 }],
    ["a failure", { outcomes: countOutcome(outcomes(["success"]), "failure", 0) }, {}],
    ["a session that has just begun", { connectedAt: 0 }, {}],
  ])("AS50 grows by %s", ([, worse, peer]) => {
    const cost = (one: Candidate) => expectedCost(demand(), one, 0, DEFAULT_POLICY).totalMs;
    const prefetching = { prefetch: true, ...peer };
    expect(cost(known("a", worse, prefetching))).toBeGreaterThan(cost(known("a")));
  });
});

describe("choosing by the expected cost", () => {
  test("AS50 chooses the cheapest eligible peer, or none when no peer is eligible", () => {
    fc.assert(
      fc.property(anyDemand, anyCandidates, fc.nat(1e9), (task, peers, now) => {
        const far = peers.map((peer) => ({
          ...peer,
          evidence: { ...peer.evidence, nearMs: null, share: 0 },
        }));
        const policy = { ...DEFAULT_POLICY, loadSpreading: null };
        const choice = choose({ ...task, incumbent: null }, far, now, NO_VENTURE, policy);
        const eligible = far.filter((peer) => exclusion(task, peer) === null);
        const key = (peer: Candidate) =>
          Number(peer.circuit !== "closed" && task.panic !== true) * 4e12 +
          Number(task.tried.has(peer.peerId)) * 2e12 +
          Number(!hasSlot(peer)) * 1e12 +
          expectedCost(task, peer, now, DEFAULT_POLICY).totalMs;
        if (eligible.length === 0) expect(choice.peer).toBeNull();
        else expect(key(choice.peer as Candidate)).toBe(Math.min(...eligible.map(key)));
      }),
    );
  });

  test("AS50 never chooses an excluded peer, under any policy", () => {
    fc.assert(
      fc.property(anyDemand, anyCandidates, anyPolicy, fc.nat(), (task, peers, policy, seed) => {
        const { peer, eligible, excluded } = choose(task, peers, 0, seededNumbers(seed), policy);
        if (peer !== null) expect(exclusion(task, peer)).toBeNull();
        expect(eligible.length + excluded.length).toBe(peers.length);
        expect(peer === null).toBe(eligible.length === 0);
      }),
    );
  });

  test("AS50 is the same in whatever order the peers are listed", () => {
    fc.assert(
      fc.property(anyDemand, anyCandidates, anyPolicy, fc.nat(), (task, peers, policy, seed) => {
        const pick = (listed: readonly Candidate[]) =>
          choose(task, listed, 0, seededNumbers(seed), policy).peer?.peerId;
        expect(pick(peers.toReversed())).toBe(pick(peers));
      }),
    );
  });

  test("AS50 a peer that failed at the task comes last, and a farther peer is preferred to one that fails often", () => {
    expect(chosen([known("near"), known("far", { rttMs: 900 })], { tried: ["near"] })).toBe("far");
    const failing = outcomes([...Array<OutcomeKind>(9).fill("success"), "failure"]);
    const peers = [known("near", { outcomes: failing }), known("far", { rttMs: 900 })];
    expect(chosen(peers)).toBe("far");
  });

  test("AS50 a peer with a free slot comes before a busy one, however much cheaper the busy one is", () => {
    const busy = known("busy", {}, { held: 1, prefetch: true });
    expect(chosen([busy, known("free", { rttMs: 20_000 })])).toBe("free");
    expect(chosen([busy])).toBe("busy");
  });

  test("AS51 new peers get a bounded share of the tasks, only with a free slot, and each task once", () => {
    const peers = [known("known"), candidate({ peerId: "new", slots: 1 })];
    const random = seededNumbers(3);
    let ventured = 0;
    for (let i = 0; i < 20_000; i++) {
      if (choose(demand(), peers, 0, random).by === "newcomer") ventured++;
    }
    expect(ventured / 20_000).toBeGreaterThan(DEFAULT_POLICY.newcomerShare / 2);
    expect(ventured / 20_000).toBeLessThan(DEFAULT_POLICY.newcomerShare * 2);
    const busy = [known("known"), candidate({ peerId: "new", held: 1, prefetch: true })];
    expect(chosen(peers, {}, DEFAULT_POLICY, VENTURE)).toBe("new");
    expect(chosen(busy, {}, DEFAULT_POLICY, VENTURE)).toBe("known");
    expect(chosen(peers, { tried: ["other"] }, DEFAULT_POLICY, VENTURE)).toBe("known");
  });

  test("AS51 a peer with enough outcomes is not new", () => {
    const peers = [
      known("known"),
      known("tried", { rttMs: 900, outcomes: outcomes(["success", "success", "success"]) }),
    ];
    expect(chosen(peers, {}, DEFAULT_POLICY, VENTURE)).toBe("known");
  });

  test("AS52 a peer over its share comes after the others, and gets a task that no other peer may have", () => {
    const capped = { ...DEFAULT_POLICY, shareMax: 0.5 };
    const peers = [known("best", { share: 0.6 }), known("other", { rttMs: 900, share: 0.4 })];
    expect(chosen(peers, {}, capped)).toBe("other");
    expect(chosen(peers)).toBe("best");
    expect(chosen(peers.slice(0, 1), {}, capped)).toBe("best");
  });

  test("AS53 the peer that had the last task of the kind is kept unless another is clearly cheaper", () => {
    const policy = { ...DEFAULT_POLICY, hysteresis: 0.1 };
    const peers = [known("last", { rttMs: 130 }), known("other", { rttMs: 100 })];
    expect(chosen(peers, { incumbent: "last" }, policy)).toBe("last");
    expect(chosen(peers, {}, policy)).toBe("other");
    const clearly = [known("last", { rttMs: 900 }), known("other", { rttMs: 100 })];
    expect(chosen(clearly, { incumbent: "last" }, policy)).toBe("other");
  });

  test("AS54 a task that asks for nearness goes to the nearest of the cheapest peers", () => {
    const peers = Array.from({ length: 6 }, (_, i) =>
      known(`p${i}`, { rttMs: 100 + i, nearMs: 60 - 10 * i }),
    );
    const policy = { ...DEFAULT_POLICY, nearBest: 3 };
    expect(chosen(peers, {}, policy)).toBe("p2");
    const unknown = peers.map((peer) => ({
      ...peer,
      evidence: { ...peer.evidence, nearMs: peer.peerId === "p1" ? 500 : null },
    }));
    expect(chosen(unknown, {}, policy)).toBe("p1");
  });

  test("AS54 nearness does not prefer a peer that failed at the task", () => {
    const peers = [known("near", { nearMs: 1 }), known("far", { nearMs: 100 })];
    expect(chosen(peers, { tried: ["near"] })).toBe("far");
  });

  test("AS50 the ranking begins with the chosen peer when only the measure decided", () => {
    fc.assert(
      fc.property(anyDemand, anyCandidates, anyPolicy, fc.nat(), (task, peers, policy, seed) => {
        const choice = choose(task, peers, 0, seededNumbers(seed), policy);
        if (choice.by === "measure") expect(ranking(choice)[0]?.peer).toBe(choice.peer);
      }),
    );
  });
});
