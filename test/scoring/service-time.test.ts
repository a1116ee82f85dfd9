import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  expectedServiceMs,
  addServiceTime,
  SERVICE_UNKNOWN_MS,
  type ServiceTime,
} from "../../src/scoring/service-time.ts";

const anyMs = fc.double({ min: 0, max: 1e7, noNaN: true });
const learned = (times: readonly number[]): ServiceTime | null =>
  times.reduce<ServiceTime | null>((before, ms) => addServiceTime(before, ms), null);

describe("the learned service time", () => {
  test("SC10 is the mean of the measured times, and lies within their range", () => {
    expect(learned([100, 200, 600])).toEqual({ meanMs: 300, weight: 3 });
    fc.assert(
      fc.property(fc.array(anyMs, { minLength: 1, maxLength: 200 }), (times) => {
        const mean = learned(times)?.meanMs ?? -1;
        expect(mean).toBeGreaterThanOrEqual(Math.min(...times) - 1e-6);
        expect(mean).toBeLessThanOrEqual(Math.max(...times) + 1e-6);
      }),
    );
  });

  test("SC10 follows a peer that has become slower, however long it was fast", () => {
    const fast = learned(Array<number>(10_000).fill(100));
    let now = fast;
    for (let i = 0; i < 300; i++) now = addServiceTime(now, 1_000);
    expect(now?.meanMs).toBeGreaterThan(950);
  });

  test("SC10 of a peer is shrunk toward that of all peers while it rests on few samples", () => {
    const all = { meanMs: 1_000, weight: 64 };
    expect(expectedServiceMs(null, null)).toBe(SERVICE_UNKNOWN_MS);
    expect(expectedServiceMs(null, all)).toBe(1_000);
    expect(expectedServiceMs({ meanMs: 100, weight: 4 }, all)).toBeCloseTo(550, 9);
    expect(expectedServiceMs({ meanMs: 100, weight: 64 }, all)).toBeLessThan(160);
  });
});
