import { describe, expect, test } from "vitest";
import {
  baseRateOf,
  countAttempt,
  kindWeight,
  type FailureRate,
} from "../../src/tasks/failure-rate.ts";

describe("the failure rate of a kind", () => {
  test("BR8 of a kind that works is the usual one", () => {
    expect(baseRateOf(null)).toBe(0.1);
    let rate: FailureRate | null = null;
    for (let i = 0; i < 1_000; i++) rate = countAttempt(rate, i % 50 === 0, 1);
    expect(baseRateOf(rate)).toBe(0.1);
  });

  test("BR8 of a kind that fails at many peers becomes that of a broken one, and falls once it is mended", () => {
    let rate: FailureRate | null = null;
    for (let peer = 0; peer < 60; peer++) rate = countAttempt(rate, true, 1);
    expect(baseRateOf(rate)).toBeGreaterThan(0.7);
    for (let i = 0; i < 1_000; i++) rate = countAttempt(rate, false, 1);
    expect(baseRateOf(rate)).toBeLessThan(0.15);
  });

  test("BR8 is not raised by one broken peer, however often it fails", () => {
    let rate: FailureRate | null = null;
    for (let row = 1; row <= 100_000; row++) rate = countAttempt(rate, true, kindWeight(row));
    expect(baseRateOf(rate)).toBeLessThan(0.15);
  });

  test("BR8 is a share, and rests on a bounded number of attempts", () => {
    let rate: FailureRate | null = null;
    for (let i = 0; i < 10_000; i++) rate = countAttempt(rate, i % 3 === 0, 1);
    expect(rate?.weight).toBe(200);
    expect(rate?.rate).toBeCloseTo(1 / 3, 1);
  });
});
