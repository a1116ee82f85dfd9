import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pointOf, rangesOf, type Axis } from "../../src/scoring/axes.ts";
import { distance, METRICS, type Metric } from "../../src/scoring/distance.ts";
import { KdSnapshot } from "../../src/scoring/kd-snapshot.ts";
import { KdTree, type Neighbour } from "../../src/scoring/kd-tree.ts";
import { seededNumbers } from "../random.ts";
import { SCALE } from "../session/arbitraries.ts";

/** Many coordinates that meet exactly, zero vectors among them, and some that never do. */
const anyCoordinate = fc.oneof(
  fc.constantFrom(-1, -0.5, 0, 0.5, 1),
  fc.double({ min: -2, max: 2, noNaN: true }).map((value) => Math.round(value * 1e6) / 1e6),
);
const anyCase = fc.integer({ min: 1, max: 5 }).chain((dimension) => {
  const anyPoint = fc.array(anyCoordinate, { minLength: dimension, maxLength: dimension });
  return fc.record({
    points: fc.array(anyPoint, { minLength: 1, maxLength: 80, size: "max" }),
    query: anyPoint,
    metric: fc.constantFrom(...METRICS),
    k: fc.integer({ min: 1, max: 90 }),
    bound: fc.double({ min: 0, max: 3, noNaN: true }),
  });
});

const treeOf = (points: readonly (readonly number[])[], metric: Metric) =>
  new KdTree([...points.keys()], points, metric);

/** All distances, by looking at each point. */
const sortedDistances = (
  points: readonly (readonly number[])[],
  query: readonly number[],
  metric: Metric,
) => points.map((point) => distance(metric, query, point)).toSorted((a, b) => a - b);

const distances = (found: readonly Neighbour<unknown>[]) => found.map(({ distance: far }) => far);
const near = (expected: readonly number[]) => expected.map((value) => expect.closeTo(value, 9));

describe("a KD-tree", () => {
  test("SC22 finds the same k nearest points as a scan, nearest first, by each metric", () => {
    fc.assert(
      fc.property(anyCase, ({ points, query, metric, k }) => {
        const found = treeOf(points, metric).kNearest(query, k);
        expect(distances(found)).toEqual(near(sortedDistances(points, query, metric).slice(0, k)));
        for (const { item, distance: far } of found)
          expect(far).toBeCloseTo(distance(metric, query, points[item] as number[]), 9);
        expect(new Set(found.map(({ item }) => item)).size).toBe(found.length);
      }),
      { numRuns: 500 * SCALE },
    );
  });

  test("SC22 finds all points within a radius and none beyond, by each metric", () => {
    fc.assert(
      fc.property(anyCase, ({ points, query, metric, bound }) => {
        const all = sortedDistances(points, query, metric);
        // What lies on the bound to within rounding may be in or out.
        fc.pre(all.every((far) => Math.abs(far - bound) > 1e-9));
        const found = treeOf(points, metric).radius(query, bound);
        expect(distances(found)).toEqual(near(all.filter((far) => far <= bound)));
        expect(distances(treeOf(points, metric).radius(query, bound, 2))).toEqual(
          distances(found).slice(0, 2),
        );
      }),
      { numRuns: 500 * SCALE },
    );
  });

  test("SC22 finds the nearest among thousands, in four dimensions", () => {
    const random = seededNumbers(11);
    const points = Array.from({ length: 3_000 }, () => Array.from({ length: 4 }, random));
    for (const metric of METRICS) {
      const tree = treeOf(points, metric);
      for (let i = 0; i < 20; i++) {
        const query = Array.from({ length: 4 }, random);
        const found = tree.nearest(query);
        expect(found?.distance).toBeCloseTo(sortedDistances(points, query, metric)[0] as number, 9);
      }
    }
  });

  test("SC22 returns equally near points in their order, and counts a point on the radius as within it", () => {
    const tree = treeOf([[1], [-1], [1], [3]], "euclidean");
    expect(tree.kNearest([0], 3).map(({ item }) => item)).toEqual([0, 1, 2]);
    expect(tree.radius([0], 1).map(({ item }) => item)).toEqual([0, 1, 2]);
  });

  test("SC22 finds nothing in an empty tree, for k of 0, and for a query of another dimension", () => {
    const tree = treeOf([[1, 2]], "euclidean");
    expect(treeOf([], "manhattan").nearest([])).toBeNull();
    for (const query of [[1], [1, 2, 3], [1, Number.NaN]]) expect(tree.nearest(query)).toBeNull();
    for (const k of [0, -1, Number.NaN]) expect(tree.kNearest([1, 2], k)).toEqual([]);
    expect(tree.radius([1, 2], -1)).toEqual([]);
  });

  test("SC22 cosine distance is 0 between zero vectors, 1 to any other vector, and 2 between opposites", () => {
    expect(distance("cosine", [0, 0], [0, 0])).toBe(0);
    expect(distance("cosine", [0, 0], [0, 3])).toBe(1);
    expect(distance("cosine", [1, 1], [-2, -2])).toBeCloseTo(2, 12);
    expect(distance("cosine", [1e-200, 0], [1e200, 0])).toBeCloseTo(0, 12);
  });
});

interface Machine {
  readonly name: string;
  ms: number | null;
  readonly score: number;
}
const AXES: readonly Axis<Machine>[] = [
  { value: ({ ms }) => ms },
  { value: ({ score }) => score, weight: 2, invert: true },
];

describe("the axes of a space", () => {
  const machines: readonly Machine[] = [
    { name: "a", ms: 10, score: 0 },
    { name: "b", ms: 110, score: 50 },
    { name: "c", ms: 60, score: 100 },
  ];

  test("SC23 are normalized over the items, inverted where more is better, then weighted", () => {
    const ranges = rangesOf(machines, AXES);
    expect(machines.map((machine) => pointOf(machine, AXES, ranges))).toEqual([
      [0, 2],
      [1, 1],
      [0.5, 0],
    ]);
  });

  test("SC23 an unmeasured value is in the middle, and an axis without extent is 0", () => {
    const unknown = { name: "d", ms: null, score: Number.NaN };
    expect(pointOf(unknown, AXES, rangesOf([...machines, unknown], AXES))).toEqual([0.5, 1]);
    const alike = [{ name: "e", ms: 5, score: 7 }];
    expect(pointOf(alike[0] as Machine, AXES, rangesOf(alike, AXES))).toEqual([0, 2]);
    expect(pointOf(unknown, AXES, rangesOf([unknown], AXES))).toEqual([0.5, 1]);
  });

  test("SC23 the axis with the greater weight decides", () => {
    const ideal = { name: "ideal", ms: 10, score: 100 };
    const byScore = new KdSnapshot(() => machines, AXES, "euclidean");
    expect(byScore.nearest(ideal)?.item.name).toBe("c");
    const byMs = AXES.map((axis, n) => ({ ...axis, weight: [5, 0.1][n] as number }));
    expect(new KdSnapshot(() => machines, byMs, "euclidean").nearest(ideal)?.item.name).toBe("a");
  });
});

describe("a snapshot of items that change", () => {
  test("SC24 is built by the first query after a change, and not before or again", () => {
    const machines: Machine[] = [{ name: "a", ms: 10, score: 1 }];
    let builds = 0;
    const read = () => {
      builds += 1;
      return machines;
    };
    const snapshot = new KdSnapshot(read, AXES, "manhattan");
    for (let ms = 0; ms < 10; ms++) {
      machines.push({ name: `m${ms}`, ms, score: 1 });
      snapshot.changed();
    }
    expect(builds).toBe(0);
    const near3 = () => snapshot.kNearest({ name: "", ms: 3, score: 1 }, 1)[0]?.item.name;
    expect([near3(), near3(), builds]).toEqual(["m3", "m3", 1]);
    (machines[4] as Machine).ms = 30;
    snapshot.changed();
    expect(near3()).not.toBe("m3");
    expect(snapshot.radius({ name: "", ms: 30, score: 1 }, 0).map(({ item }) => item.name)).toEqual(
      ["m3"],
    );
    expect(builds).toBe(2);
  });
});
