import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Place } from "../../src/base/place.ts";
import { greatCircleKm, isPhysical, hintedRttMs } from "../../src/scoring/measure.ts";

const LONDON: Place = { latitude: 51.5074, longitude: -0.1278 };
const NEW_YORK: Place = { latitude: 40.7128, longitude: -74.006 };
const HALF_WAY_ROUND_KM = Math.PI * 6_371.0088;

const anyPlace: fc.Arbitrary<Place> = fc.record({
  latitude: fc.double({ min: -90, max: 90, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
});

describe("the great-circle distance", () => {
  test("is 5,570 km from London to New York", () => {
    expect(greatCircleKm(LONDON, NEW_YORK)).toBeCloseTo(5_570.2, 0);
  });

  test("is continuous at the date line", () => {
    const west = { latitude: 0, longitude: 179.5 };
    const east = { latitude: 0, longitude: -179.5 };
    expect(greatCircleKm(west, east)).toBeCloseTo(111.19, 1);
  });

  test("is symmetric, 0 to itself, and at most half the Earth's circumference", () => {
    fc.assert(
      fc.property(anyPlace, anyPlace, (a, b) => {
        const there = greatCircleKm(a, b);
        expect(there).toBeCloseTo(greatCircleKm(b, a), 6);
        expect(greatCircleKm(a, a)).toBe(0);
        expect(there >= 0 && there <= HALF_WAY_ROUND_KM + 1e-6).toBe(true);
      }),
    );
  });

  test("is half the Earth's circumference to the antipode", () => {
    const opposite = { latitude: -LONDON.latitude, longitude: LONDON.longitude + 180 };
    expect(greatCircleKm(LONDON, opposite)).toBeCloseTo(HALF_WAY_ROUND_KM, 1);
  });
});

describe("a round-trip time", () => {
  test("SC5 faster than light in fiber (1 ms for each 100 km) is refused", () => {
    expect(isPhysical(55, 5_570)).toBe(false);
    expect(isPhysical(56, 5_570)).toBe(true);
    expect(isPhysical(0, 0)).toBe(true);
  });

  test("SC5 below 0 is refused; any other is accepted where the distance is unknown", () => {
    expect(isPhysical(-1, null)).toBe(false);
    expect(isPhysical(0, null)).toBe(true);
  });
});

describe("a round trip that was not measured yet", () => {
  test("SC14 is estimated by the connection's own, and by the speed of light where that is too short", () => {
    expect(hintedRttMs(null, 1_000)).toBeNull();
    expect(hintedRttMs(12, null)).toBe(12);
    expect(hintedRttMs(12, 5_000)).toBe(50);
    expect(hintedRttMs(80, 5_000)).toBe(80);
  });
});
