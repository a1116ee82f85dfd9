import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Random } from "../../src/base/clock.ts";
import {
  DIMENSIONS,
  ERROR_MAX,
  estimateRtt,
  median,
  observed,
  ORIGIN,
  RESIDUALS,
  withSample,
  type Coordinate,
} from "../../src/scoring/vivaldi.ts";
import { RTT_MAX_MS } from "../../src/protocol/constants.ts";
import { seededNumbers } from "../random.ts";

/** Coordinates of nodes that each measure a few ways in each round, to peers drawn by lot. */
function settle(
  nodes: number,
  rounds: number,
  rttOf: (round: number, from: number, to: number) => number,
  random: Random,
): readonly Coordinate[] {
  const coordinates: Coordinate[] = Array.from({ length: nodes }, () => ORIGIN);
  const samples = new Map<string, readonly number[]>();
  for (let round = 0; round < rounds; round++) {
    for (let from = 0; from < nodes; from++) {
      const to = (from + 1 + Math.floor(random() * (nodes - 1))) % nodes;
      const pair = `${from},${to}`;
      const last = withSample(samples.get(pair) ?? [], rttOf(round, from, to));
      samples.set(pair, last);
      const [own, other] = [coordinates[from], coordinates[to]] as [Coordinate, Coordinate];
      coordinates[from] = observed(own, other, median(last), random);
    }
  }
  return coordinates;
}

/** What each pair's way was and is estimated at, in milliseconds. */
function pairs(coordinates: readonly Coordinate[], rttOf: (from: number, to: number) => number) {
  return coordinates.flatMap((own, from) =>
    coordinates.flatMap((other, to) =>
      from === to ? [] : [{ ...estimateRtt(own, other), truth: rttOf(from, to) }],
    ),
  );
}

/** Nodes on a plane of 100 ms, each behind an access link of its own. */
function plane(nodes: number, random: Random) {
  const places = Array.from(
    { length: nodes },
    () => [random() * 100, random() * 100, 2 + random() * 20] as const,
  );
  return (from: number, to: number): number => {
    const [a, b] = [places[from], places[to]] as [(typeof places)[0], (typeof places)[0]];
    return Math.hypot(a[0] - b[0], a[1] - b[1]) + a[2] + b[2];
  };
}

const medianOf = (values: readonly number[]) => median(values);

describe("network coordinates", () => {
  test("SC25 converge to the round trip between nodes that never measured it", () => {
    const random = seededNumbers(5);
    const truth = plane(60, random);
    // Only ways between nodes whose numbers differ by less than 20 are ever measured.
    const far = (from: number, to: number) => Math.abs(from - to) >= 20;
    const coordinates: Coordinate[] = Array.from({ length: 60 }, () => ORIGIN);
    for (let i = 0; i < 24_000; i++) {
      const from = Math.floor(random() * 60);
      const to = Math.floor(random() * 60);
      if (from === to || far(from, to)) continue;
      const [own, other] = [coordinates[from], coordinates[to]] as [Coordinate, Coordinate];
      coordinates[from] = observed(own, other, truth(from, to), random);
    }
    const never = coordinates.flatMap((own, from) =>
      coordinates.flatMap((other, to) => {
        const rtt = truth(from, to);
        return far(from, to) ? [Math.abs(estimateRtt(own, other).rttMs - rtt) / rtt] : [];
      }),
    );
    expect(never.length).toBeGreaterThan(1_000);
    expect(medianOf(never)).toBeLessThan(0.1);
  });

  test("SC25 estimate their own error: large at first, small once they have converged", () => {
    const random = seededNumbers(6);
    const truth = plane(30, random);
    const errors = [1, 10, 400].map((rounds) =>
      medianOf(
        settle(30, rounds, (_, from, to) => truth(from, to), random).map(({ error }) => error),
      ),
    );
    expect(errors).toEqual(errors.toSorted((a, b) => b - a));
    expect(errors[0]).toBeGreaterThan(0.8);
    expect(errors[2]).toBeLessThan(0.1);
  });

  test("SC25 follow a node whose round trips change", () => {
    const random = seededNumbers(7);
    const before = plane(20, random);
    const after = plane(20, random);
    const rttOf = (round: number, from: number, to: number) =>
      (round < 300 ? before : after)(from, to);
    const off = (rounds: number) =>
      medianOf(
        pairs(settle(20, rounds, rttOf, seededNumbers(8)), after).map(
          ({ rttMs, truth }) => Math.abs(rttMs - truth) / truth,
        ),
      );
    expect(off(800)).toBeLessThan(0.12);
    expect(off(800)).toBeLessThan(off(300) / 3);
  });

  test("SC25 stay in range for any measurement, and only the node that measured moves", () => {
    const sample = fc.record({
      from: fc.nat({ max: 4 }),
      to: fc.nat({ max: 4 }),
      rttMs: fc.oneof(
        fc.constantFrom(0, Number.MIN_VALUE, RTT_MAX_MS),
        fc.double({ min: 0, max: RTT_MAX_MS, noNaN: true }),
      ),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 200 }), fc.integer(), (samples, seed) => {
        const random = seededNumbers(seed);
        const coordinates: Coordinate[] = Array.from({ length: 5 }, () => ORIGIN);
        for (const { from, to, rttMs } of samples) {
          const before = structuredClone(coordinates);
          const next = observed(
            coordinates[from] as Coordinate,
            coordinates[to] as Coordinate,
            rttMs,
            random,
          );
          expect(coordinates).toEqual(before);
          coordinates[from] = next;
          expect(next.vector).toHaveLength(DIMENSIONS);
          expect([...next.vector, next.adjustment].every(Number.isFinite)).toBe(true);
          expect(next.height).toBeGreaterThan(0);
          expect(next.error >= 0 && next.error <= ERROR_MAX).toBe(true);
          expect(next.residuals.length).toBeLessThanOrEqual(RESIDUALS);
          const { rttMs: estimate, errorMs } = estimateRtt(next, coordinates[to] as Coordinate);
          expect(estimate > 0 && errorMs >= 0 && Number.isFinite(estimate)).toBe(true);
        }
      }),
    );
  });

  test("SC25 give the same estimate in both directions", () => {
    const random = seededNumbers(9);
    const truth = plane(8, random);
    const coordinates = settle(8, 50, (_, from, to) => truth(from, to), random);
    const [a, b] = [coordinates[2], coordinates[5]] as [Coordinate, Coordinate];
    expect(estimateRtt(a, b).rttMs).toBeCloseTo(estimateRtt(b, a).rttMs, 9);
  });

  test("SC25 use the median of a pair's last three samples, so that one outlier moves nothing", () => {
    expect(median([9])).toBe(9);
    expect(median([10, 300])).toBe(300);
    expect(median(withSample(withSample([10, 12], 3_000), 11))).toBe(12);
  });
});

/** 688 frames of round-trip times between 99 devices, in units of 10 ms; 0 is below 5 ms. */
const SEATTLE = fileURLToPath(import.meta.resolve("../../../shared/data/seattle.u16.bin.gz"));
const DEVICES = 99;

describe("network coordinates of 99 devices in Seattle", () => {
  test.skipIf(!existsSync(SEATTLE))(
    "SC25 distinguish near from far devices 20 frames ahead (skipped without ../shared/data)",
    () => {
      const bytes = gunzipSync(readFileSync(SEATTLE));
      const frames = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
      const rttOf = (frame: number, from: number, to: number) =>
        Math.max(3, 10 * (frames[(frame * DEVICES + from) * DEVICES + to] as number));
      const random = seededNumbers(10);
      const coordinates = settle(DEVICES, 300, rttOf, random);
      const later = [320, 360, 400, 440, 480];
      const found = pairs(coordinates, (from, to) =>
        median(later.map((frame) => rttOf(frame, from, to))),
      );
      const guess = medianOf(found.map(({ truth }) => truth));
      const [near, far] = [
        found.filter(({ rttMs }) => rttMs < guess / 2),
        found.filter(({ rttMs }) => rttMs > 2 * guess),
      ];
      expect(near.length).toBeGreaterThan(100);
      expect(far.length).toBeGreaterThan(100);
      expect(medianOf(far.map(({ truth }) => truth))).toBeGreaterThan(
        2 * medianOf(near.map(({ truth }) => truth)),
      );
    },
  );
});
