import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DAY, SECOND } from "../../src/base/clock.ts";
import { hopBounds, hopsOfRoute, type ReportedRoute } from "../../src/scoring/hops.ts";
import { parts, WEIGHTS } from "../../src/scoring/score.ts";

const anyRtt = fc.double({ min: 0, max: 1e6, noNaN: true });
const anyHops = fc.integer({ min: 1, max: 64 });
const route = (hops: number): ReportedRoute => ({ hops, tool: "traceroute", at: 0 });

describe("the hops that a round trip allows", () => {
  test.for([
    [0, 1, 26],
    [0.9, 1, 48],
    [1, 2, 51],
    [10, 4, 64],
    [40, 6, 64],
    [100, 7, 64],
    [200, 8, 64],
    [100_000, 17, 64],
  ])("SC16 at %d ms are %i to %i", ([rtt, least, most]) => {
    expect(hopBounds(rtt as number)).toEqual({ least, most });
  });

  test("SC16 are 1 to 64, at least one of them, and grow with the round trip", () => {
    fc.assert(
      fc.property(anyRtt, anyRtt, (a, b) => {
        const [near, far] = [hopBounds(Math.min(a, b)), hopBounds(Math.max(a, b))];
        expect(near.least).toBeGreaterThanOrEqual(1);
        expect(near.least).toBeLessThanOrEqual(near.most);
        expect(far.most).toBeLessThanOrEqual(64);
        expect(far.least).toBeGreaterThanOrEqual(near.least);
        expect(far.most).toBeGreaterThanOrEqual(near.most);
      }),
    );
  });

  test("SC16 are 1 to 64 when the round trip is unknown or no number", () => {
    for (const rtt of [null, Number.NaN, Number.POSITIVE_INFINITY])
      expect(hopBounds(rtt)).toEqual({ least: 1, most: 64 });
    expect(hopBounds(-5)).toEqual(hopBounds(0));
  });
});

describe("a reported route", () => {
  test("SC16 is believed where it is plausible", () => {
    expect(hopsOfRoute(route(14), 100, null, 0)).toBe(14);
    expect(hopsOfRoute(route(1), 0.4, null, 0)).toBe(1);
  });

  test("SC16 of one hop at 200 ms counts as 8", () => {
    expect(hopsOfRoute(route(1), 200, null, 0)).toBe(8);
  });

  test("SC16 without a round trip is bounded by the time that light needs for the distance", () => {
    expect(hopsOfRoute(route(1), null, 10_000, 0)).toBe(7);
    expect(hopsOfRoute(route(1), null, null, 0)).toBe(1);
  });

  test("SC16 never gains more than the lower bound, whatever it claims, and claiming less never makes it more", () => {
    fc.assert(
      fc.property(anyRtt, anyHops, anyHops, (rtt, a, b) => {
        const less = hopsOfRoute(route(Math.min(a, b)), rtt, null, 0) ?? 0;
        const more = hopsOfRoute(route(Math.max(a, b)), rtt, null, 0) ?? 0;
        expect(less).toBeGreaterThanOrEqual(hopBounds(rtt).least);
        expect(less).toBeLessThanOrEqual(more);
      }),
    );
  });

  test("SC16 says nothing after a week", () => {
    expect(hopsOfRoute(route(14), 100, null, 7 * DAY)).toBe(14);
    expect(hopsOfRoute(route(14), 100, null, 7 * DAY + SECOND)).toBeNull();
    expect(hopsOfRoute(null, 100, null, 0)).toBeNull();
  });

  test("SC16 a lie about 13 hops at 100 ms gains at most 2 % of a score", () => {
    const at = (claimed: number) => {
      const hops = hopsOfRoute(route(claimed), 100, null, 0);
      const metrics = { hops, hopsKnown: 0.5, direct: true, rttMs: 100, geoKm: null };
      return parts({ ...metrics, successes: 0, failures: 0, uptime: null }, WEIGHTS).hops.part;
    };
    expect(at(1)).toBeGreaterThan(at(13));
    expect(at(1) - at(13)).toBeLessThan(0.02);
  });
});
