import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Outcomes } from "../../src/scoring/outcomes.ts";
import { choose } from "../../src/tasks/assignment.ts";
import { hasSlot, usableSlots, type Candidate } from "../../src/tasks/eligibility.ts";
import type { Evidence } from "../../src/tasks/evidence.ts";
import { DEFAULT_POLICY, type ExpectedCost } from "../../src/tasks/policy.ts";
import { recompute, storeChoice, type StoredChoice } from "../../src/tasks/stored-choice.ts";
import { seededNumbers } from "../random.ts";
import { anyCandidates, anyDemand, anyPolicy } from "./arbitraries.ts";
import { candidate, demand, evidence } from "./candidates.ts";

const HOUR = 3_600_000;
/** Draws that try no new peer for exploration. */
const NO_EXPLORATION = () => 0.999;

const counts = (successes: number, failures = 0): Outcomes => ({
  successes,
  failures,
  timeouts: 0,
  refusals: 0,
  at: 0,
});

/** A peer with 16 slots, which serves the kind in 100 ms. */
const peer = (peerId: string, more: Partial<Evidence> = {}, fields: Partial<Candidate> = {}) =>
  candidate({
    peerId,
    slots: 16,
    evidence: evidence({
      rttMs: 20,
      rttVarianceMs: 2,
      outcomes: counts(1_000),
      service: { meanMs: 100, weight: 64 },
      connectedAt: -HOUR,
      ...more,
    }),
    ...fields,
  });

interface Assigned {
  readonly peers: readonly Candidate[];
  readonly by: readonly (string | null)[];
}

/** Assigns tasks of one kind one after the other. No task ends. */
function assign(
  peers: readonly Candidate[],
  tasks: number,
  { policy = DEFAULT_POLICY, seed = 1 } = {},
): Assigned {
  const random = seededNumbers(seed);
  const by: (string | null)[] = [];
  let [now, incumbent] = [peers, null as string | null];
  for (let i = 0; i < tasks; i++) {
    const choice = choose(demand({ incumbent }), now, 0, random, policy);
    incumbent = choice.peer?.peerId ?? null;
    by.push(choice.by);
    now = now.map((one) => (one === choice.peer ? { ...one, held: one.held + 1 } : one));
  }
  return { peers: now, by };
}

const heldOf = ({ peers }: Assigned): Record<string, number> =>
  Object.fromEntries(peers.map(({ peerId, held }) => [peerId, held]));

const withoutExploration: ExpectedCost = { ...DEFAULT_POLICY, newcomerShare: 0 };

/** Peers that work equally well: no failures, and times that differ by noise. More is known about some than about others. */
const equalPeers = fc
  .array(
    fc.record({
      successes: fc.integer({ min: 0, max: 100_000 }),
      rttMs: fc.double({ min: 10, max: 30, noNaN: true }),
      service: fc.option(fc.double({ min: 95, max: 110, noNaN: true })),
      minutes: fc.integer({ min: 1, max: 100_000 }),
    }),
    { minLength: 2, maxLength: 6 },
  )
  .map((all) =>
    all.map(({ successes, rttMs, service, minutes }, i) =>
      peer(`p${i}`, {
        outcomes: counts(successes),
        rttMs,
        service: service === null ? null : { meanMs: service, weight: 20 },
        connectedAt: -minutes * 60_000,
      }),
    ),
  );

const anySeed = fc.integer({ min: 1, max: 1e6 });

/** A task of a kind whose mean over all peers is that of `peer`. */
const kindOf100Ms = { service: { meanMs: 100, weight: 64 } };

/** Peers of any evidence that may have the task and hold some already, so that load decides often. */
const busyCandidates = anyCandidates.map((peers) =>
  peers.map((one) => ({
    ...one,
    role: "worker" as const,
    active: true,
    kinds: ["*"],
    capabilities: ["gpu"],
    slots: 4,
    held: one.held + 1,
    evidence: { ...one.evidence, nearMs: null },
  })),
);

describe("spreading load over comparable peers", () => {
  test("AS58 equal peers hold equally many tasks within one, whatever their evidence and the order of listing", () => {
    fc.assert(
      fc.property(equalPeers, fc.integer({ min: 1, max: 60 }), anySeed, (peers, tasks, seed) => {
        const random = seededNumbers(seed);
        let now: readonly Candidate[] = peers;
        for (let i = 0; i < Math.min(tasks, 16 * peers.length); i++) {
          const turned = [...now.slice(i % now.length), ...now.slice(0, i % now.length)];
          const { peer: chosen } = choose(
            demand(kindOf100Ms),
            turned,
            0,
            random,
            withoutExploration,
          );
          now = now.map((one) => (one === chosen ? { ...one, held: one.held + 1 } : one));
        }
        const held = now.map((one) => one.held);
        expect(Math.max(...held) - Math.min(...held)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("AS58 without the rule the peer with the most successes fills all its slots first", () => {
    const peers = [
      peer("known"),
      ...["a", "b", "c"].map((id) => peer(id, { outcomes: counts(0) })),
    ];
    const policy = { ...withoutExploration, loadSpreading: null };
    expect(heldOf(assign(peers, 16, { policy }))).toEqual({ known: 16, a: 0, b: 0, c: 0 });
    const spread = assign(peers, 16, { policy: withoutExploration });
    expect(heldOf(spread)).toEqual({ known: 4, a: 4, b: 4, c: 4 });
    expect(spread.by[0]).toBe("measure");
    expect(spread.by[1]).toBe("load");
  });

  test("AS58 peers of different sizes fill in proportion to their slots", () => {
    const peers = [peer("large"), peer("small", {}, { slots: 4 })];
    expect(heldOf(assign(peers, 10, { policy: withoutExploration }))).toEqual({
      large: 8,
      small: 2,
    });
  });

  test.for<[string, Partial<Evidence>]>([
    ["fails half of its tasks", { outcomes: counts(10, 10) }],
    ["failed its only task", { outcomes: counts(0, 1) }],
    ["does not answer", { outcomes: { ...counts(20), timeouts: 10 } }],
    ["is ten times as slow", { service: { meanMs: 1_000, weight: 20 } }],
    ["is far away", { rttMs: 300 }],
    ["has a round trip that varies", { rttVarianceMs: 400 }],
    ["has just connected", { connectedAt: 0 }],
  ])("AS58 a peer that %s gets no task by its load while others have a free slot", ([, worse]) => {
    const peers = [peer("a"), peer("b"), peer("worse", worse)];
    expect(heldOf(assign(peers, 32, { policy: withoutExploration }))).toEqual({
      a: 16,
      b: 16,
      worse: 0,
    });
  });

  test("AS58 a peer that fails half of at least two tasks gets none, however little is known of the best", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 0, max: 2_000 }),
        (failures, successes) => {
          const failing = peer("failing", { outcomes: counts(failures, failures) });
          const peers = [peer("best", { outcomes: counts(successes) }), failing];
          expect(heldOf(assign(peers, 16, { policy: withoutExploration }))).toEqual({
            best: 16,
            failing: 0,
          });
        },
      ),
    );
  });

  test("AS58 a peer with as many failures as chance explains shares the load", () => {
    const peers = [
      peer("a", { outcomes: counts(990, 10) }),
      peer("b", { outcomes: counts(988, 12) }),
    ];
    expect(heldOf(assign(peers, 10, { policy: withoutExploration }))).toEqual({ a: 5, b: 5 });
  });

  test("AS58 one task at a time stays at the peer that had the last one", () => {
    fc.assert(
      fc.property(fc.nat(3), anySeed, (start, seed) => {
        const random = seededNumbers(seed);
        const peers = Array.from({ length: 4 }, (_, i) => peer(`p${i}`, { rttMs: 20 + i }));
        let incumbent: string | null = `p${start}`;
        for (let i = 0; i < 20; i++) {
          const choice = choose(
            demand({ ...kindOf100Ms, incumbent }),
            peers,
            0,
            random,
            withoutExploration,
          );
          expect(choice.by).toBe("measure");
          incumbent = choice.peer?.peerId ?? null;
        }
        expect(incumbent).toBe(`p${start}`);
      }),
    );
  });

  test("AS58 a peer that failed at the task, or has no free slot, gets none by its load", () => {
    const busy = peer("best", {}, { held: 1 });
    const full = peer("full", {}, { slots: 0, held: 0 });
    const tried = demand({ ...kindOf100Ms, tried: ["tried"] });
    const { peer: chosen, by } = choose(
      tried,
      [busy, peer("tried"), full],
      0,
      NO_EXPLORATION,
      withoutExploration,
    );
    expect([chosen?.peerId, by]).toEqual(["best", "measure"]);
  });

  test("AS54 nearness goes before load", () => {
    const near = peer("near", { nearMs: 1 }, { held: 8 });
    const choice = choose(demand(), [near, peer("idle", { nearMs: 90 })], 0, NO_EXPLORATION);
    expect([choice.peer?.peerId, choice.by]).toEqual(["near", "near"]);
  });

  test("AS51 exploration goes before load", () => {
    const peers = [peer("best", {}, { held: 8 }), peer("new", { outcomes: counts(0) })];
    expect(choose(demand(), peers, 0, () => 0).by).toBe("newcomer");
  });

  test("AS58 a peer chosen by its load has a free slot, the best one's rank and a smaller load, for any evidence", () => {
    fc.assert(
      fc.property(anyDemand, busyCandidates, anyPolicy, fc.nat(), (task, peers, policy, seed) => {
        const choice = choose(task, peers, 0, seededNumbers(seed), policy);
        if (choice.by !== "load" || choice.peer === null) return;
        const { peerId } = choice.peer;
        expect(hasSlot(choice.peer)).toBe(true);
        const spreadOff = { ...(policy as ExpectedCost), loadSpreading: null };
        const best = choose(task, peers, 0, seededNumbers(seed), spreadOff).peer;
        expect(best).not.toBeNull();
        expect(best?.peerId).not.toBe(peerId);
        const loadOf = (one: Candidate | null) => (one === null ? 0 : one.held / usableSlots(one));
        expect(loadOf(choice.peer)).toBeLessThan(loadOf(best));
        const rankOf = (id: string | undefined) =>
          choice.eligible.find((one) => one.peer.peerId === id)?.rank;
        expect(rankOf(peerId)).toBe(rankOf(best?.peerId));
      }),
    );
  });
});

describe("a stored choice by load", () => {
  /** A choice among more comparable peers than are stored: the chosen one ranks last. */
  function stored(): StoredChoice {
    const peers = Array.from({ length: 40 }, (_, i) =>
      peer(`p${i}`, { rttMs: 20 + i / 10 }, { held: i === 39 ? 1 : 2 }),
    );
    const choice = choose(demand(kindOf100Ms), peers, 0, NO_EXPLORATION, withoutExploration);
    expect([choice.peer?.peerId, choice.by]).toEqual(["p39", "load"]);
    return storeChoice(demand(kindOf100Ms), choice, 0, withoutExploration);
  }

  test("AS55 is the same when it is recomputed, although only some of the comparable peers are stored", () => {
    const kept = stored();
    expect(kept.candidates.length).toBeLessThan(40);
    const again = recompute(kept);
    expect([again.peer?.peerId, again.by]).toEqual(["p39", "load"]);
  });

  test("AS55 is the same when it is recomputed, for any evidence, and in whatever order the peers are listed", () => {
    fc.assert(
      fc.property(anyDemand, busyCandidates, anyPolicy, fc.nat(), (task, peers, policy, seed) => {
        const choice = choose(task, peers, 0, seededNumbers(seed), policy);
        const json = JSON.stringify(storeChoice(task, choice, 0, policy));
        const others = [
          recompute(JSON.parse(json) as StoredChoice),
          choose(task, peers.toReversed(), 0, seededNumbers(seed), policy),
        ];
        for (const other of others)
          expect([other.peer?.peerId, other.by]).toEqual([choice.peer?.peerId, choice.by]);
      }),
    );
  });

  test("AS55 a choice that was stored before the rule existed is recomputed without it", () => {
    const { loadSpreading: _, ...before } = withoutExploration;
    const again = recompute({ ...stored(), policy: before, chosen: "p0", by: "measure" });
    expect([again.peer?.peerId, again.by]).toEqual(["p0", "measure"]);
  });
});
