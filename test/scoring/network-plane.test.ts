import { describe, expect, it } from "vitest";
import { networkPlane } from "../../src/scoring/network-plane.ts";
import { projected } from "../../src/scoring/projection.ts";
import { ORIGIN, type Coordinate } from "../../src/scoring/vivaldi.ts";

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.hypot((a[0] as number) - (b[0] as number), (a[1] as number) - (b[1] as number));

describe("vectors in a plane", () => {
  it("SC41 keep their distances if they are in one plane, however it is turned", () => {
    const flat = [
      [3, 4],
      [-1, 2],
      [0, -5],
      [0, 0],
    ];
    const axes = [0.6, 0.8, 0, 0];
    const others = [0, 0, 0.8, -0.6];
    const vectors = flat.map(([a, b]) =>
      axes.map((x, at) => x * (a as number) + (others[at] as number) * (b as number)),
    );
    const points = projected(vectors);
    for (const [one, a] of points.entries())
      for (const [two, b] of points.entries())
        expect(distance(a, b)).toBeCloseTo(
          distance(flat[one] as number[], flat[two] as number[]),
          6,
        );
    expect(points[3]).toEqual([0, 0]);
  });

  it("SC41 are zeros if there is nothing to tell apart, and the same each time", () => {
    expect(projected([])).toEqual([]);
    expect(projected([[0, 0, 0]])).toEqual([[0, 0]]);
    const vectors = [
      [1, 2, 3],
      [3, 2, 1],
    ];
    expect(projected(vectors)).toEqual(projected(vectors));
  });
});

describe("network coordinates in a plane", () => {
  const at = (x: number, y: number): Coordinate => ({
    ...ORIGIN,
    vector: [x / 1_000, y / 1_000, 0, 0, 0, 0, 0, 0],
    error: 0.1,
  });

  it("SC41 are seen from the mesh, whose own place follows from its round trips to the peers", () => {
    const places = [
      [0, 0],
      [100, 0],
      [0, 100],
      [100, 100],
    ] as const;
    const mesh = [20, 30] as const;
    const nodes = places.map((place) => ({
      coordinate: at(place[0], place[1]),
      rttMs: distance(place, mesh),
    }));
    const points = networkPlane(nodes);
    for (const [n, point] of points.entries())
      expect(distance(point, [0, 0]) / distance(places[n] ?? [], mesh)).toBeCloseTo(1, 0);
    expect(distance(points[0] ?? [], points[1] ?? [])).toBeCloseTo(100, 0);
  });

  it("SC41 keep their places toward each other while the mesh has measured nothing", () => {
    const points = networkPlane([
      { coordinate: at(10, 0), rttMs: null },
      { coordinate: at(0, 10), rttMs: null },
    ]);
    expect(distance(points[0] ?? [], points[1] ?? [])).toBeCloseTo(Math.hypot(10, 10), 6);
  });
});
