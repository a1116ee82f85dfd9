import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { choose } from "../../src/tasks/assignment.ts";
import { exclusion, type Candidate, type Demand } from "../../src/tasks/eligibility.ts";
import { seededNumbers } from "../random.ts";
import { candidate, demand, evidence } from "./candidates.ts";

const BEST_SCORE = { name: "best-score" } as const;

const IDS = ["a", "b", "c", "d", "e", "f"];

/** Peers of different IDs, many of them alike in score, some that may not have the task. */
const anyCandidates: fc.Arbitrary<Candidate[]> = fc.uniqueArray(
  fc.record({
    peerId: fc.constantFrom(...IDS),
    role: fc.constantFrom("worker", "dual", "controller"),
    active: fc.boolean(),
    kinds: fc.constantFrom(["*"], ["*"], ["other"], []),
    capabilities: fc.subarray(["gpu", "tpu"]),
    slots: fc.integer({ min: 0, max: 2 }),
    prefetch: fc.boolean(),
    held: fc.integer({ min: 0, max: 2 }),
    score: fc.constantFrom(0, 0.25, 0.5, 1),
    evidence: fc.constant(evidence()),
  }),
  { selector: ({ peerId }) => peerId },
);

const anyDemand: fc.Arbitrary<Demand> = fc
  .record({
    kind: fc.constantFrom("echo", "go-p2p/get_stats"),
    capabilities: fc.subarray(["gpu", "tpu"]),
    named: fc.option(fc.constantFrom(...IDS), { nil: undefined }),
    minScore: fc.constantFrom(undefined, 0.5),
    tried: fc.subarray(IDS),
    refused: fc.subarray(IDS),
  })
  .map(({ kind, capabilities, named, minScore, tried, refused }) =>
    demand({
      kind,
      requirements: { capabilities, peer_id: named, min_score: minScore },
      tried,
      refused,
    }),
  );

const anySeed = fc.integer({ min: 1, max: 1e6 });
/** Negative when `a` must go before `b`, by AS3. */
const rank =
  ({ tried }: Demand) =>
  (a: Candidate, b: Candidate): number =>
    Number(a.held >= a.slots) - Number(b.held >= b.slots) ||
    Number(tried.has(a.peerId)) - Number(tried.has(b.peerId)) ||
    b.score - a.score;

const drawn = (task: Demand, peers: readonly Candidate[], seed: number): string | undefined =>
  choose(task, peers, 0, seededNumbers(seed), BEST_SCORE).peer?.peerId;

/** How often each peer is chosen in `draws` draws. */
function tally(peers: readonly Candidate[], draws: number): Record<string, number> {
  const random = seededNumbers(7);
  const counts = Object.fromEntries(peers.map(({ peerId }) => [peerId, 0]));
  for (let i = 0; i < draws; i++) {
    const id = choose(demand(), peers, 0, random, BEST_SCORE).peer?.peerId ?? "nobody";
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}

describe("choosing a peer by the best score", () => {
  test("AS3 chooses one of the best eligible peers, or none when no peer is eligible", () => {
    fc.assert(
      fc.property(anyDemand, anyCandidates, anySeed, (task, peers, seed) => {
        const eligible = peers.filter((peer) => exclusion(task, peer) === null);
        const best = eligible.toSorted(rank(task))[0];
        const { peer } = choose(task, peers, 0, seededNumbers(seed), BEST_SCORE);
        if (best === undefined) expect(peer).toBeNull();
        else expect(eligible.filter((other) => rank(task)(other, best) === 0)).toContain(peer);
      }),
    );
  });

  test("names the rule that excludes each excluded peer", () => {
    fc.assert(
      fc.property(anyDemand, anyCandidates, anySeed, (task, peers, seed) => {
        const expected = peers.flatMap((peer) => {
          const rule = exclusion(task, peer);
          return rule === null ? [] : [{ peerId: peer.peerId, rule }];
        });
        expect(choose(task, peers, 0, seededNumbers(seed)).excluded).toEqual(expected);
      }),
    );
  });

  test("is pure: the same draw gives the same choice, and the inputs stay unchanged", () => {
    fc.assert(
      fc.property(anyDemand, anyCandidates, anySeed, (task, peers, seed) => {
        const before = structuredClone({ task, peers });
        expect(drawn(task, peers, seed)).toBe(drawn(task, peers, seed));
        expect({ task, peers }).toEqual(before);
      }),
    );
  });

  test("AS3 the peer with the highest score gets the task, at any position in the list", () => {
    const peers = IDS.map((peerId, i) => candidate({ peerId, score: i / 10 }));
    expect(drawn(demand(), peers, 1)).toBe("f");
    expect(drawn(demand(), peers.toReversed(), 1)).toBe("f");
  });

  test("AS3 a peer that failed at the task comes last, however high its score", () => {
    const peers = [
      candidate({ peerId: "a", score: 0.9 }),
      candidate({ peerId: "b", score: 0.1 }),
      candidate({ peerId: "c", score: 0.2 }),
    ];
    expect(drawn(demand({ tried: ["a"] }), peers, 1)).toBe("c");
    expect(drawn(demand({ tried: ["a", "b", "c"] }), peers, 1)).toBe("a");
    expect(drawn(demand({ tried: ["a"] }), peers.slice(0, 1), 1)).toBe("a");
  });

  test("AS3 ties are broken at random: each equal peer is chosen about equally often, and no other peer is", () => {
    const equals = ["a", "b", "c"].map((peerId) => candidate({ peerId }));
    const { a, b, c, d } = tally([candidate({ peerId: "d", score: 0.4 }), ...equals], 600);
    for (const count of [a, b, c]) expect(count).toBeGreaterThan(140);
    expect(d).toBe(0);
  });

  test("AS3 the tie-break does not depend on the order of the list", () => {
    const peers = IDS.map((peerId) => candidate({ peerId }));
    for (const order of [peers, peers.toReversed()]) {
      expect(Math.min(...Object.values(tally(order, 1_200)))).toBeGreaterThan(140);
    }
  });
});
