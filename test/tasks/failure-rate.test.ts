import { describe, expect, test } from "vitest";
import { noOutcomes, type Outcomes } from "../../src/scoring/outcomes.ts";
import {
  countAttempt,
  kindWeight,
  usualRate,
  type FailureRate,
} from "../../src/tasks/failure-rate.ts";

const NOTHING = noOutcomes(0);
const outcomes = (successes: number, failures: number): Outcomes => ({
  ...NOTHING,
  successes,
  failures,
});
const ofKind = (rate: FailureRate | null): number => usualRate(rate, NOTHING, 0);

describe("the failure rate of a kind", () => {
  test("BR8 of a kind that works is the usual one", () => {
    expect(ofKind(null)).toBe(0.1);
    let rate: FailureRate | null = null;
    for (let i = 0; i < 1_000; i++) rate = countAttempt(rate, i % 50 === 0, 1);
    expect(ofKind(rate)).toBe(0.1);
  });

  test("BR8 of a kind that fails at many peers becomes that of a broken one, and falls once it is mended", () => {
    let rate: FailureRate | null = null;
    for (let peer = 0; peer < 60; peer++) rate = countAttempt(rate, true, 1);
    expect(ofKind(rate)).toBeGreaterThan(0.7);
    for (let i = 0; i < 1_000; i++) rate = countAttempt(rate, false, 1);
    expect(ofKind(rate)).toBeLessThan(0.15);
  });

  test("BR8 is not raised by one broken peer, however often it fails", () => {
    let rate: FailureRate | null = null;
    for (let row = 1; row <= 100_000; row++) rate = countAttempt(rate, true, kindWeight(row, true));
    expect(ofKind(rate)).toBeLessThan(0.15);
  });

  test("BR8 is a share, and rests on a bounded number of attempts", () => {
    let rate: FailureRate | null = null;
    for (let i = 0; i < 10_000; i++) rate = countAttempt(rate, i % 3 === 0, 1);
    expect(rate?.weight).toBe(200);
    expect(rate?.rate).toBeCloseTo(1 / 3, 1);
  });

  test("BR8 is raised by peers that never did the kind less than by others", () => {
    const after = (everSucceeded: boolean) => {
      let rate: FailureRate | null = null;
      for (let peer = 0; peer < 10; peer++)
        rate = countAttempt(rate, true, kindWeight(1, everSucceeded));
      return ofKind(rate);
    };
    expect(after(false)).toBeLessThan(0.15);
    expect(after(true)).toBeGreaterThan(0.3);
  });
});

describe("the failure rate that is usual for a peer", () => {
  test("BR1 is its own long-run rate, up to one half, where that is above the kind's", () => {
    expect(usualRate(null, outcomes(1_000, 0), 0)).toBe(0.1);
    expect(usualRate(null, outcomes(700, 300), 0)).toBeCloseTo(0.3, 1);
    expect(usualRate(null, outcomes(0, 1_000), 0)).toBe(0.5);
  });

  test("BR1 of a peer that has just begun to fail is still low", () => {
    expect(usualRate(null, outcomes(50, 3), 0)).toBe(0.1);
    expect(usualRate(null, outcomes(0, 2), 0)).toBeLessThan(0.15);
  });
});
