import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoffPause, equalJitter, fullJitter, quarterJitter } from "../../src/base/backoff.ts";

const anyBackoff = fc
  .tuple(fc.nat(60_000), fc.nat(3_600_000), fc.constantFrom(2, 4))
  .map(([initial, more, factor]) => ({ initial, max: initial + more, factor }));
const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("the pause of a backoff", () => {
  test("is the initial one after the first failure and never longer than the longest", () => {
    fc.assert(
      fc.property(anyBackoff, fc.nat(10_000), (backoff, failures) => {
        expect(backoffPause(backoff, 1)).toBe(backoff.initial);
        const pause = backoffPause(backoff, failures);
        expect(pause).toBeGreaterThanOrEqual(backoff.initial);
        expect(pause).toBeLessThanOrEqual(backoff.max);
      }),
    );
  });

  test("grows by the factor until it reaches the longest", () => {
    const backoff = { initial: 500, max: 30_000 };
    const pauses = [1, 2, 3, 4, 5, 6, 7, 8].map((failures) => backoffPause(backoff, failures));
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(backoffPause({ ...backoff, factor: 4 }, 3)).toBe(8_000);
  });

  test("of 0 stays 0, however many failures there were", () => {
    expect(backoffPause({ initial: 0, max: 30_000 }, 1_000_000)).toBe(0);
  });
});

describe("jitter", () => {
  test.each([
    ["full jitter lies between 0 and the pause", fullJitter, 0, 1],
    ["equal jitter lies between half the pause and the pause", equalJitter, 0.5, 1],
    ["quarter jitter lies between three and five quarters of the pause", quarterJitter, 0.75, 1.25],
  ])("%s", (_title, jitter, least, most) => {
    fc.assert(
      fc.property(fc.nat(3_600_000), anyRandom, (pause, random) => {
        const jittered = jitter(pause, random);
        expect(jittered).toBeGreaterThanOrEqual(Math.floor(pause * least));
        expect(jittered).toBeLessThanOrEqual(Math.ceil(pause * most));
      }),
    );
  });
});
