import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RETRY_BACKOFF_DEFAULT, RETRY_BACKOFF_MAX_DEFAULT } from "../../src/protocol/constants.ts";
import { retryAt } from "../../src/tasks/retry.ts";

const NOW = 1_000_000;
const USUAL = { backoffMs: RETRY_BACKOFF_DEFAULT, backoffMaxMs: RETRY_BACKOFF_MAX_DEFAULT };

/** The shortest and the longest pause that a draw can make. */
const pauses = (tries: number): [number, number] => [
  retryAt(USUAL, tries, NOW, () => 0) - NOW,
  retryAt(USUAL, tries, NOW, () => 1 - Number.EPSILON) - NOW,
];

describe("the pause before a failed task is offered again", () => {
  test("AS9 doubles with each failure, and is at least half of the doubled pause", () => {
    expect(pauses(1)).toEqual([RETRY_BACKOFF_DEFAULT / 2, RETRY_BACKOFF_DEFAULT]);
    expect(pauses(2)).toEqual([RETRY_BACKOFF_DEFAULT, 2 * RETRY_BACKOFF_DEFAULT]);
    expect(pauses(5)).toEqual([8 * RETRY_BACKOFF_DEFAULT, 16 * RETRY_BACKOFF_DEFAULT]);
  });

  test("AS9 never exceeds its maximum, for any number of failures", () => {
    for (const tries of [8, 20, 5_000])
      expect(pauses(tries)).toEqual([RETRY_BACKOFF_MAX_DEFAULT / 2, RETRY_BACKOFF_MAX_DEFAULT]);
  });

  test("AS9 is a whole number of milliseconds, and at least one", () => {
    const anyDraw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.nat({ max: 10_000 }), anyDraw, (tries, draw) => {
        const pause = retryAt(USUAL, tries, NOW, () => draw) - NOW;
        expect(Number.isSafeInteger(pause)).toBe(true);
        expect(pause).toBeGreaterThanOrEqual(RETRY_BACKOFF_DEFAULT / 2);
        expect(pause).toBeLessThanOrEqual(RETRY_BACKOFF_MAX_DEFAULT);
      }),
    );
  });

  test("AS16 is the one that the task asks for, also 0", () => {
    const longest = () => 1 - Number.EPSILON;
    const asked = { backoffMs: 3_000, backoffMaxMs: 7_000 };
    expect([1, 2, 3].map((tries) => retryAt(asked, tries, NOW, longest) - NOW)).toEqual([
      3_000, 6_000, 7_000,
    ]);
    for (const tries of [1, 20, 5_000])
      expect(retryAt({ backoffMs: 0, backoffMaxMs: 0 }, tries, NOW, longest)).toBe(NOW);
  });
});
