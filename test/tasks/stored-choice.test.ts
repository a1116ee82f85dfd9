import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { choose } from "../../src/tasks/assignment.ts";
import { DEFAULT_POLICY } from "../../src/tasks/policy.ts";
import {
  costScore,
  recompute,
  storeChoice,
  type StoredChoice,
} from "../../src/tasks/stored-choice.ts";
import { seededNumbers } from "../random.ts";
import { anyCandidates, anyDemand, anyPolicy } from "./arbitraries.ts";
import { candidate, demand } from "./candidates.ts";

/** As it comes back from the registry. */
const throughJson = (stored: StoredChoice): StoredChoice =>
  JSON.parse(JSON.stringify(stored)) as StoredChoice;

describe("a stored choice", () => {
  test("AS55 is the same when it is recomputed, with the same costs to the last bit", () => {
    fc.assert(
      fc.property(
        anyDemand,
        anyCandidates,
        anyPolicy,
        fc.nat(),
        fc.nat(1e12),
        (task, peers, policy, seed, now) => {
          const choice = choose(task, peers, now, seededNumbers(seed), policy);
          const again = recompute(throughJson(storeChoice(task, choice, now, policy)));
          expect(again.peer?.peerId).toBe(choice.peer?.peerId);
          expect(again.by).toBe(choice.by);
          expect(again.draws).toEqual(choice.draws);
          for (const { peer, cost, measure } of again.eligible) {
            const then = choice.eligible.find((one) => one.peer.peerId === peer.peerId);
            expect(cost).toEqual(then?.cost);
            expect(measure).toBe(then?.measure);
          }
        },
      ),
    );
  });

  test("AS56 names excluded peers with their rule, and counts those that it does not name", () => {
    const peers = Array.from({ length: 5_000 }, (_, i) =>
      candidate({ peerId: `p${i}`, active: i % 2 === 0, held: i % 4 === 0 ? 1 : 0 }),
    );
    const choice = choose(demand(), peers, 0, seededNumbers(1));
    const stored = storeChoice(demand(), choice, 0, DEFAULT_POLICY);
    expect(stored.ruledOut).toEqual({ not_active: 2_500, no_room: 1_250 });
    expect(stored.eligible).toBe(1_250);
    expect(stored.excluded[0]).toEqual({ peerId: "p0", rule: "no_room" });
    expect(JSON.stringify(stored).length).toBeLessThan(8_192);
  });
});

describe("a cost as a score", () => {
  test("AS50 is 1 for no cost, one half for the mean cost, and falls as the cost grows", () => {
    expect(costScore(0, 500)).toBe(1);
    expect(costScore(500, 500)).toBe(0.5);
    expect(costScore(1_500, 500)).toBe(0.25);
    expect(costScore(0, 0)).toBe(0.5);
  });
});
