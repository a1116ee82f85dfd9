import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noOutcomes } from "../../src/scoring/outcomes.ts";
import { choose } from "../../src/tasks/assignment.ts";
import { exclusion, hasSlot } from "../../src/tasks/eligibility.ts";
import { BEST_SCORE, DEFAULT_POLICY } from "../../src/tasks/policy.ts";
import { recompute, storeChoice, type StoredChoice } from "../../src/tasks/stored-choice.ts";
import { seededNumbers } from "../random.ts";
import { anyCandidates, anyDemand } from "./arbitraries.ts";
import { candidate, demand, evidence } from "./candidates.ts";

const POLICIES = [DEFAULT_POLICY, BEST_SCORE];

const known = (rttMs: number) =>
  evidence({ rttMs, outcomes: { ...noOutcomes(0), successes: 100 }, connectedAt: 0 });

const good = candidate({ peerId: "good", slots: 4, score: 0.9, evidence: known(10) });
const worse = candidate({ peerId: "worse", slots: 4, score: 0.1, evidence: known(300) });

describe("circuits in a choice", () => {
  test.for(POLICIES)(
    "BR5 a peer with an open circuit is never chosen, unless there is a panic: %o",
    (policy) => {
      fc.assert(
        fc.property(anyDemand, anyCandidates, fc.nat(), (task, peers, seed) => {
          const { peer } = choose(task, peers, 0, seededNumbers(seed), policy);
          if (peer !== null && task.panic !== true) expect(peer.circuit).not.toBe("open");
          expect(peer?.circuit).not.toBe("refusing");
          expect(peer?.probing).not.toBe(true);
        }),
      );
    },
  );

  test.for(POLICIES)(
    "BR5 a half-open peer comes after a busy one, and is used when there is no other: %o",
    (policy) => {
      const resting = { ...good, circuit: "half_open" as const };
      const busy = { ...worse, held: 4, prefetch: true };
      expect(choose(demand(), [resting, busy], 0, () => 0.9, policy).peer).toBe(busy);
      expect(choose(demand(), [resting], 0, () => 0.9, policy).peer).toBe(resting);
    },
  );

  test.for(POLICIES)(
    "BR5 a bounded share of choices probes a half-open peer although better ones are free: %o",
    (policy) => {
      const resting = { ...worse, circuit: "half_open" as const };
      const random = seededNumbers(3);
      let probes = 0;
      for (let i = 0; i < 20_000; i++) {
        const { peer, by } = choose(demand(), [good, resting], 0, random, policy);
        expect(by === "probe").toBe(peer === resting);
        probes += Number(by === "probe");
      }
      expect(probes / 20_000).toBeGreaterThan((policy.probeShare ?? 0) / 2);
      expect(probes / 20_000).toBeLessThan((policy.probeShare ?? 0) * 2);
    },
  );

  test("BR5 a task does not probe the peer that it failed at", () => {
    const resting = { ...worse, circuit: "half_open" as const };
    const task = demand({ tried: ["worse"] });
    expect(choose(task, [good, resting], 0, () => 0).peer).toBe(good);
  });

  test("BR6 in a panic peers compete as if their circuits were closed", () => {
    const resting = { ...good, circuit: "open" as const };
    expect(choose(demand({ panic: true }), [resting, worse], 0, () => 0.9).peer).toBe(resting);
    expect(choose(demand(), [resting, worse], 0, () => 0.9).peer).toBe(worse);
  });

  test("BR6 in a panic a peer that has rested is probed first, unless it has no free slot or failed at the task", () => {
    const rested = { ...worse, peerId: "rested", circuit: "half_open" as const };
    const candidates = [good, rested, { ...good, peerId: "resting", circuit: "open" as const }];
    const chosenBy = (with_: Partial<typeof rested>, tried: readonly string[] = []) =>
      choose(
        demand({ panic: true, tried }),
        candidates.map((peer) => (peer === rested ? { ...rested, ...with_ } : peer)),
        0,
        () => 0.9,
      );
    expect(chosenBy({})).toMatchObject({ peer: { peerId: "rested" }, by: "probe" });
    for (const { peer } of [chosenBy({ held: 4 }), chosenBy({}, ["rested"])])
      expect(peer?.peerId).not.toBe("rested");
  });
});

describe("a task that failed at a peer", () => {
  test.for(POLICIES)("BR7 waits at a busy peer rather than return to the peer: %o", (policy) => {
    const busy = { ...worse, held: 4, prefetch: true };
    const task = demand({ tried: ["good"] });
    expect(choose(task, [good, busy], 0, () => 0.9, policy).peer).toBe(busy);
    expect(choose(task, [good], 0, () => 0.9, policy).peer).toBe(good);
  });

  test.for(POLICIES)(
    "BR7 waits in the queue while a peer that is not a candidate could take it: %o",
    (policy) => {
      const task = demand({ tried: ["good"], othersCouldTake: true });
      expect(choose(task, [good], 0, () => 0.9, policy).peer).toBeNull();
      expect(exclusion(task, good)).toBe("failed_here");
    },
  );
});

describe("a choice that was stored before circuits existed", () => {
  test("AS55 ranks a free slot over a peer that has not failed, as it did then", () => {
    const { failedLast: _, probeShare: __, ...policy } = DEFAULT_POLICY;
    const busy = { ...worse, held: 4, prefetch: true };
    const task = demand({ tried: ["good"] });
    const choice = choose(task, [good, busy], 0, () => 0.9, policy);
    expect(choice.peer).toBe(good);
    const stored = storeChoice(task, choice, 0, policy);
    const { othersCouldTake: ___, panic: ____, ...before } = stored.task;
    const old: StoredChoice = { ...stored, task: before };
    expect(recompute(JSON.parse(JSON.stringify(old)) as StoredChoice).peer?.peerId).toBe("good");
  });
});

describe("slots that a peer has earned", () => {
  test("SC40 count as its slots: for a free slot, for the wait, and for its share of the load", () => {
    const serial = { ...good, slots: 64, earnedSlots: 2, held: 2, prefetch: true };
    expect(hasSlot(serial)).toBe(false);
    expect(choose(demand(), [serial, worse], 0, () => 0.9).peer).toBe(worse);
  });
});
