import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MINUTE, SECOND } from "../../src/base/clock.ts";
import { ranFor, timeoutShare, unansweredShare } from "../../src/tasks/held-share.ts";

const usual = (meanMs: number) => ({ meanMs, weight: 10 });

test.each([
  ["a deadline of 1 s for a kind that takes 10 s", SECOND, usual(10 * SECOND), 0],
  ["a deadline of 5 s for a kind that takes 10 s", 5 * SECOND, usual(10 * SECOND), 0.1],
  ["five times the usual time", 50 * SECOND, usual(10 * SECOND), 1],
  ["an hour", 60 * MINUTE, usual(10 * SECOND), 1],
  ["a second of a kind that takes 1 ms", SECOND, usual(1), 0.5],
  ["a second of a kind that nobody did", SECOND, null, 0],
  ["half a minute of a kind that nobody did", 30 * SECOND, null, 0.5],
  ["no time at all", 0, null, 0],
  ["a clock that was set back", -SECOND, null, 0],
])("AS120 %s counts as this share of a timeout", (_, heldMs, ofKind, share) => {
  expect(timeoutShare(heldMs, ofKind)).toBeCloseTo(share);
});

test("AS120 a longer time never counts less, and no time counts more than one timeout", () => {
  const time = fc.double({ min: 0, max: 1e9, noNaN: true });
  fc.assert(
    fc.property(time, time, fc.option(time), (a, b, mean) => {
      const ofKind = mean === null ? null : usual(mean);
      const [less, more] = [Math.min(a, b), Math.max(a, b)].map((ms) => timeoutShare(ms, ofKind));
      expect(less).toBeLessThanOrEqual(more as number);
      expect(more).toBeLessThanOrEqual(1);
      expect(less).toBeGreaterThanOrEqual(0);
    }),
  );
});

test("AS120 the harm that a caller does is at most the peer's time that it takes, in fifths of usual times", () => {
  const time = fc.double({ min: 400, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(time, fc.array(time, { maxLength: 50 }), (mean, times) => {
      const harm = times.reduce((sum, ms) => sum + timeoutShare(ms, usual(mean)), 0);
      const taken = times.reduce((sum, ms) => sum + ms, 0);
      expect(harm).toBeLessThanOrEqual(taken / (5 * mean) + 1e-9);
    }),
  );
});

test("AS120 only a task that its peer has begun has been running", () => {
  const times = { attemptUntil: 90_000, attemptTimeoutMs: 60_000 };
  expect(ranFor({ state: "running", ...times }, 50_000)).toBe(20_000);
  expect(ranFor({ state: "leased", ...times, attemptUntil: null }, 50_000)).toBe(0);
});

test.each([
  ["an offer that stands for less than half a second", 400, 20, 0],
  ["one that a peer with a slow connection can't have answered", 1_900, 500, 0],
  ["one that stands for 4 s", 4_000, 20, 0.8],
  ["one that was not accepted in time", 5_000, 20, 1],
])("AS120 %s counts as this share of a timeout", (_, waitedMs, rttMs, share) => {
  expect(unansweredShare(waitedMs, rttMs)).toBeCloseTo(share);
});
