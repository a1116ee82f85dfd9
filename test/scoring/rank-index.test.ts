import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Traits, TraitFilter } from "../../src/scoring/peer-classes.ts";
import { NO_ROW } from "../../src/scoring/peer-row-table.ts";
import { RankIndex, type RankQuery } from "../../src/scoring/rank-index.ts";
import { bucketOf, BUCKETS } from "../../src/scoring/score-buckets.ts";
import { seededNumbers } from "../random.ts";
import { SCALE } from "../session/arbitraries.ts";

const PLAIN = {
  role: "worker",
  active: true,
  works: true,
  cordoned: false,
  kinds: ["*"],
  free: true,
  fresh: false,
} as const;
const CAPABILITIES = ["gpu", "arm64", "eu"];

const anyTraits: fc.Arbitrary<Traits> = fc.record({
  role: fc.constantFrom("worker", "dual"),
  active: fc.boolean(),
  works: fc.boolean(),
  cordoned: fc.boolean(),
  kinds: fc.constantFrom(["*"], ["echo"], ["echo", "render"]),
  capabilities: fc.shuffledSubarray(CAPABILITIES),
  free: fc.boolean(),
  fresh: fc.boolean(),
});
const anyWanted: fc.Arbitrary<TraitFilter> = fc
  .record({
    capabilities: fc.subarray(CAPABILITIES),
    roles: fc.subarray(["worker", "dual"]),
    everyKind: fc.boolean(),
    free: fc.boolean(),
  })
  .map(
    (asked) => (traits) =>
      asked.capabilities.every((capability) => traits.capabilities.includes(capability)) &&
      asked.roles.includes(traits.role) &&
      (traits.kinds.includes("*") || !asked.everyKind) &&
      (traits.free || !asked.free),
  );
/** Scores that meet often, at the edges too; null for a peer without room. */
const anyScore = fc.oneof(
  fc.constantFrom(null, 0, 0.5, 1, 1 / BUCKETS, 1 - 1 / BUCKETS),
  fc.double({ min: 0, max: 1, noNaN: true }),
);
const idOf = (n: number): string => (n * 0x9e37_79b1).toString(16).padStart(32, "0");
const anyId = fc.nat({ max: 40 }).map(idOf);

type Step =
  | {
      readonly at: "put";
      readonly id: string;
      readonly traits: Traits;
      readonly score: number | null;
    }
  | { readonly at: "rank"; readonly id: string; readonly score: number | null }
  | { readonly at: "remove"; readonly id: string };
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ at: fc.constant("put"), id: anyId, traits: anyTraits, score: anyScore }),
  },
  { weight: 4, arbitrary: fc.record({ at: fc.constant("rank"), id: anyId, score: anyScore }) },
  { weight: 2, arbitrary: fc.record({ at: fc.constant("remove"), id: anyId }) },
);

interface Row {
  readonly traits: Traits;
  readonly score: number | null;
}

/** The plainest index: looks at every peer. */
class Scan {
  readonly rows = new Map<string, Row>();

  take(step: Step): void {
    const row = this.rows.get(step.id);
    if (step.at === "put") this.rows.set(step.id, step);
    else if (step.at === "remove") this.rows.delete(step.id);
    else if (row !== undefined) this.rows.set(step.id, { ...row, score: step.score });
  }

  /** Buckets by ID of all that will do, whatever their score. */
  suiting(wanted: TraitFilter): ReadonlyMap<string, number> {
    const suiting = new Map<string, number>();
    for (const [id, { traits, score }] of this.rows)
      if (wanted(traits) && score !== null) suiting.set(id, bucketOf(score));
    return suiting;
  }
}

function takeIn(index: RankIndex, step: Step): void {
  if (step.at === "put") index.put(step.id, step.traits, step.score);
  else if (step.at === "rank") index.rank(step.id, step.score);
  else index.remove(step.id);
}

function expectAgreement(index: RankIndex, scan: Scan, query: RankQuery, limit: number): void {
  const suiting = scan.suiting(query.wanted);
  const buckets = [...suiting.values()]
    .filter((bucket) => bucket >= query.lowest)
    .toSorted((a, b) => b - a);
  const best = index.best(query, limit);
  expect(best.map((id) => suiting.get(id))).toEqual(buckets.slice(0, limit));
  expect(new Set(best).size).toBe(best.length);
  expect(index.count(query)).toBe(suiting.size);
  const first = index.first(query);
  if (buckets[0] === undefined) expect(first).toBe(NO_ROW);
  else expect(suiting.get(index.idAt(first))).toBe(buckets[0]);
}

describe("the index of eligible peers", () => {
  test("SC20 gives the same answers as a scan of all peers, after any additions, removals and changes", () => {
    const anyQuery = fc.record({ wanted: anyWanted, minScore: fc.constantFrom(0, 0.5, 1) });
    fc.assert(
      fc.property(
        fc.array(anyStep, { maxLength: 120, size: "max" }),
        fc.array(anyQuery, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer(),
        (steps, questions, limit, seed) => {
          const index = new RankIndex(seed);
          const scan = new Scan();
          const queries = questions.map(({ wanted, minScore }) => index.query(wanted, minScore));
          for (const step of steps) {
            takeIn(index, step);
            scan.take(step);
            for (const query of queries) expectAgreement(index, scan, query, limit);
          }
          expect(index.size).toBe(scan.rows.size);
        },
      ),
      { numRuns: 150 * SCALE },
    );
  });

  test("SC20 agrees with a scan among thousands of peers that come and go, past every growth of its arrays", () => {
    const random = seededNumbers(3);
    const index = new RankIndex(1);
    const scan = new Scan();
    const among = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
    for (let i = 0; i < 6_000; i++) {
      const id = idOf(Math.floor(random() * 3_000));
      const step: Step =
        random() < 0.2
          ? { at: "remove", id }
          : {
              at: "put",
              id,
              score: random() < 0.1 ? null : random(),
              traits: {
                role: among(["worker", "dual"]),
                active: true,
                works: true,
                cordoned: false,
                kinds: random() < 0.9 ? ["*"] : ["echo"],
                capabilities: random() < 0.01 ? ["gpu"] : [among(["a", "b", "c"])],
                free: random() < 0.5,
                fresh: false,
              },
            };
      takeIn(index, step);
      scan.take(step);
    }
    for (const capabilities of [[], ["a"], ["gpu"], ["a", "gpu"]]) {
      const has = (traits: Traits) =>
        capabilities.every((one) => traits.capabilities.includes(one));
      const query = index.query((traits) => traits.kinds.includes("*") && has(traits), 0.1);
      expectAgreement(index, scan, query, 500);
    }
  });

  test("SC20 lets peers with equal scores take turns: the one that has waited longest is first", () => {
    const index = new RankIndex(0);
    const traits = { ...PLAIN, capabilities: [] };
    const query = index.query(() => true);
    for (const n of [1, 2, 3]) index.put(idOf(n), traits, 0.5);
    index.rank(idOf(1), null);
    index.rank(idOf(1), 0.5);
    expect(index.best(query, 3)).toEqual([2, 3, 1].map(idOf));
  });

  test("SC20 ranks NaN last, and values above 1 as 1", () => {
    expect([Number.NaN, -1, 0].map(bucketOf)).toEqual([0, 0, 0]);
    expect([1, 2, Number.POSITIVE_INFINITY].map(bucketOf)).toEqual(Array(3).fill(BUCKETS - 1));
  });

  test("SC21 takes at most 64 bytes a peer, at any number of them", () => {
    const index = new RankIndex(7);
    const kinds = CAPABILITIES.map((capability): Traits => ({
      ...PLAIN,
      capabilities: [capability],
    }));
    for (let n = 1; n <= 20_000; n++) {
      index.put(idOf(n), kinds[n % 3] as Traits, n / 20_000);
      if (n > 1_000) expect(index.bytes / n).toBeLessThanOrEqual(64);
    }
  });

  test("SC21 keeps nothing of classes whose last peer was removed", () => {
    const index = new RankIndex(7);
    for (let n = 0; n < 1_000; n++) {
      index.put(idOf(1), { ...PLAIN, capabilities: [`label=${n}`] }, 0.5);
      expect(index.kinds).toBe(1);
    }
    index.remove(idOf(1));
    expect([index.size, index.kinds]).toEqual([0, 0]);
  });
});
