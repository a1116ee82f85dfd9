import * as fc from "fast-check";
import { expect, test } from "vitest";
import { activeCells, SINGLE, withCells } from "../../src/cells/topology.ts";
import { betterOfTwo } from "../../src/routing/cell-choice.ts";
import { CellDigests } from "../../src/routing/cell-digests.ts";

/** What broken cells, or ones of another version, may say. */
const number = fc.oneof(
  fc.constantFrom(0, 1, 5, Number.NaN, Infinity, -Infinity, -1, 1e9, undefined, null, "7"),
  fc.double(),
) as fc.Arbitrary<number>;
const load = fc.record(
  {
    kind: fc.constantFrom("a", "b"),
    peers: number,
    slots: number,
    free: number,
    prefetched: number,
    waiting: number,
    meanMs: number,
  },
  { requiredKeys: ["kind"] },
) as fc.Arbitrary<Parameters<CellDigests["learnedKind"]>[1]>;
const digest = fc.record({
  kinds: fc.array(load, { maxLength: 3 }),
  others: load,
  labels: fc.constantFrom(null, [], ["x"]),
  full: fc.boolean(),
});
const at = fc.constantFrom(0, 100, 5_000, 60_000, 1e12, -1e6);

const said = fc.record({ cell: fc.nat({ max: 5 }), digest, load, at, isKind: fc.boolean() });

test("CE155 whatever cells say of their load, at whatever times, a task goes to one or two different active cells", () => {
  const property = fc.property(
    fc.array(said, { maxLength: 12 }),
    fc.integer({ min: 2, max: 6 }),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    at,
    (all, count, random, now) => {
      const digests = new CellDigests();
      for (const one of all)
        if (one.isKind) digests.learnedKind(one.cell, one.load, one.at);
        else digests.learned(one.cell, one.digest, one.at);
      const topology = withCells(SINGLE, count, 0, 1);
      const cells = betterOfTwo(
        { topology, now, random: () => random, digests },
        { kind: "a", capabilities: [] },
      );
      expect([1, 2]).toContain(cells.length);
      expect(new Set(cells).size).toBe(cells.length);
      for (const cell of cells) expect(activeCells(topology)).toContain(cell);
    },
  );
  fc.assert(property, { numRuns: 3_000 });
});

test("CE155 a cell that says impossible things gets as many tasks as before", () => {
  const possible = { peers: 4, slots: 4, free: 2, prefetched: 0, waiting: 0, meanMs: 100 };
  const digestOf = (of: object) => ({
    kinds: [{ kind: "a", ...possible, ...of }],
    others: possible,
    labels: [],
    full: false,
  });
  const digests = new CellDigests();
  digests.learned(0, digestOf({}), 0);
  for (const wrong of [
    { free: Infinity },
    { slots: Number.NaN },
    { waiting: -1e9 },
    { meanMs: -5 },
  ])
    digests.learned(0, digestOf(wrong), 1);
  expect(digests.get(0, 1)?.loadOf("a")).toMatchObject(possible);
});
