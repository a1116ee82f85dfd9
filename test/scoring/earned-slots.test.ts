import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addServed,
  earnedSlots,
  effectiveParallelism,
  relativeTime,
  SLOTS_UNEARNED,
  type Parallelism,
} from "../../src/scoring/earned-slots.ts";
import { seededNumbers } from "../random.ts";

/**
 * Serves rounds of tasks at a peer that always has as many as it may, and runs `cores` of them at once. `slowness` is its
 * service time relative to other peers; the sizes of tasks vary by `sigma` (log-normal, mean 1).
 */
function serve(cores: number, announced: number, slowness = 1, sigma = 0, tasks = 400) {
  const random = seededNumbers(5);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let known: Parallelism | null = null;
  const limits: number[] = [];
  for (let i = 0; i < tasks; i++) {
    const limit = Math.min(announced, earnedSlots(known));
    limits.push(limit);
    // Now and then it has one task only, as when the load is low.
    const running = i % 10 === 0 ? 1 : limit;
    const size = Math.exp(sigma * normal() - sigma ** 2 / 2);
    known = addServed(known, { ratio: slowness * Math.max(1, running / cores) * size, running });
  }
  return limits;
}

const mean = (limits: readonly number[]) =>
  limits.reduce((sum, one) => sum + one, 0) / limits.length;

describe("slots that a peer has earned", () => {
  test("SC40 a peer that announces 64 slots and serves one task after another is soon given one at a time", () => {
    for (const slowness of [0.5, 1, 2]) {
      const limits = serve(1, 64, slowness);
      expect(Math.max(...limits.slice(100))).toBeLessThanOrEqual(SLOTS_UNEARNED);
      expect(mean(limits.slice(100))).toBeLessThan(1.5);
    }
  });

  test("SC40 a peer that serves 64 tasks at once earns its slots within 500 tasks", () => {
    for (const slowness of [0.5, 1, 2])
      expect(Math.min(...serve(64, 64, slowness, 0, 1_000).slice(500))).toBe(64);
  });

  test("SC40 holds where the sizes of tasks vary", () => {
    const settled = (cores: number) => mean(serve(cores, 64, 1, 1, 2_000).slice(500));
    expect(settled(1)).toBeLessThan(2.5);
    expect(settled(64)).toBeGreaterThan(50);
    expect(settled(8)).toBeGreaterThan(8);
    expect(settled(8)).toBeLessThan(20);
  });

  test("SC40 a peer that becomes parallel earns slots, and one that becomes serial loses them", () => {
    let known: Parallelism | null = null;
    const round = (cores: number) => {
      for (let i = 0; i < 1_000; i++) {
        const running = Math.min(64, earnedSlots(known));
        known = addServed(known, { ratio: Math.max(1, running / cores), running });
      }
      return Math.min(64, earnedSlots(known));
    };
    expect(round(1)).toBeLessThanOrEqual(SLOTS_UNEARNED);
    expect(round(64)).toBe(64);
    expect(round(1)).toBeLessThanOrEqual(SLOTS_UNEARNED);
  });

  test("SC40 is at least one slot and finite, whatever was measured", () => {
    const anyServed = fc.record({
      ratio: fc.double({ min: -10, max: 1e9, noNaN: true }),
      running: fc.nat(1_000),
    });
    fc.assert(
      fc.property(fc.array(anyServed, { minLength: 1, maxLength: 100 }), (all) => {
        const known = all.reduce<Parallelism | null>(addServed, null) as Parallelism;
        expect(earnedSlots(known)).toBeGreaterThanOrEqual(1);
        expect(Number.isFinite(earnedSlots(known))).toBe(true);
        expect(effectiveParallelism(known)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("SC40 a peer keeps what it has earned in a time with little work, and while a batch runs out", () => {
    let known: Parallelism | null = null;
    const serveBatch = (size: number) => {
      for (let running = size; running > 0; running--)
        known = addServed(known, { ratio: 1, running });
    };
    // A standing queue fills each slot that becomes free.
    for (let served = 0; served < 200; served++)
      known = addServed(known, { ratio: 1, running: Math.min(64, earnedSlots(known)) });
    expect(earnedSlots(known)).toBeGreaterThanOrEqual(64);
    for (let round = 0; round < 50; round++) serveBatch(64);
    for (let few = 0; few < 300; few++) serveBatch(2);
    expect(earnedSlots(known)).toBeGreaterThanOrEqual(64);
    // It has become slow: what it has earned does not protect it.
    for (let served = 0; served < 64; served++)
      known = addServed(known, { ratio: 16, running: 16 });
    expect(earnedSlots(known)).toBeLessThanOrEqual(2);
  });

  test("SC40 of tasks that take a few milliseconds only a wait counts that anybody would notice", () => {
    expect(relativeTime(60, 2)).toBe(1);
    expect(relativeTime(640, 10)).toBe(6.4);
    expect(relativeTime(3_000, 1_000)).toBe(3);
  });
});
