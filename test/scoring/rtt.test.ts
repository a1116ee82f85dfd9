import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sampleRtt, type RttEstimate } from "../../src/scoring/rtt.ts";

const estimateOf = (samples: readonly number[]): RttEstimate | null =>
  samples.reduce<RttEstimate | null>(sampleRtt, null);

const time = fc.double({ min: 0, max: 1e6, noNaN: true });

describe("the estimate of a round-trip time", () => {
  test("begins with the first sample and half of it as variance (RFC 6298 section 2.2)", () => {
    expect(sampleRtt(null, 80)).toEqual({ smoothedMs: 80, varianceMs: 40, minMs: 80, samples: 1 });
  });

  test("moves by an eighth, and its variance by a quarter, of the distance from the old value (RFC 6298 section 2.3)", () => {
    // SRTT 80, RTTVAR 40, sample 160: RTTVAR = 3/4 * 40 + 1/4 * 80, SRTT = 7/8 * 80 + 1/8 * 160.
    expect(estimateOf([80, 160])).toEqual({
      smoothedMs: 90,
      varianceMs: 50,
      minMs: 80,
      samples: 2,
    });
  });

  test("lies within its samples, is never negative, and has their minimum and number", () => {
    fc.assert(
      fc.property(fc.array(time, { minLength: 1, maxLength: 50 }), (samples) => {
        const {
          smoothedMs,
          varianceMs,
          minMs,
          samples: count,
        } = estimateOf(samples) as RttEstimate;
        const slack = 1e-6;
        expect(smoothedMs).toBeGreaterThanOrEqual(Math.min(...samples) - slack);
        expect(smoothedMs).toBeLessThanOrEqual(Math.max(...samples) + slack);
        expect(varianceMs).toBeGreaterThanOrEqual(0);
        expect([minMs, count]).toEqual([Math.min(...samples), samples.length]);
      }),
    );
  });

  test("counts a negative sample, of a clock that was set back, as 0", () => {
    expect(sampleRtt(null, -5)).toMatchObject({ smoothedMs: 0, minMs: 0 });
  });
});
