import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HOUR, SECOND } from "../../src/base/clock.ts";
import {
  addServiceTime,
  averageServiceTime,
  expectedServiceMs,
  SERVICE_TIME_MODEL,
  SERVICE_UNKNOWN_MS,
  type PeerServiceTime,
  type ServiceTime,
} from "../../src/scoring/service-time.ts";
import { seededNumbers } from "../random.ts";

const anyMs = fc.double({ min: 0, max: 1e7, noNaN: true });
const average = (times: readonly number[]): ServiceTime | null =>
  times.reduce<ServiceTime | null>(averageServiceTime, null);
const learned = (times: readonly number[], from: PeerServiceTime | null = null) =>
  times.reduce<PeerServiceTime | null>((before, ms, i) => addServiceTime(before, ms, i), from);

/** Log-normal times with this mean, as of tasks of different sizes. */
function varied(meanMs: number, count: number, seed = 11): readonly number[] {
  const random = seededNumbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: count }, () => meanMs * Math.exp(normal() - 0.5));
}

describe("the learned service time", () => {
  test("SC10 is the mean of the measured times, and lies within their range", () => {
    expect(average([100, 200, 600])).toEqual({ meanMs: 300, weight: 3 });
    expect(learned([100, 200, 600])).toMatchObject({ meanMs: 300, weight: 3 });
    fc.assert(
      fc.property(fc.array(anyMs, { minLength: 1, maxLength: 200 }), (times) => {
        for (const known of [average(times), learned(times)]) {
          expect(known?.meanMs).toBeGreaterThanOrEqual(Math.min(...times) - 1e-6);
          expect(known?.meanMs).toBeLessThanOrEqual(Math.max(...times) + 1e-6);
        }
      }),
    );
  });

  test("SC10 over all peers follows a change, however long it was fast", () => {
    const fast = average(Array<number>(10_000).fill(100));
    let now = fast;
    for (let i = 0; i < 300; i++) now = averageServiceTime(now, 1_000);
    expect(now?.meanMs).toBeGreaterThan(950);
  });

  test("SC10 of a peer follows a change by a factor of ten within a few tasks, up and down", () => {
    const slowAfter = (from: number, to: number, seed: number) => {
      let now = learned(varied(from, 1_000, seed));
      const middle = Math.sqrt(from * to);
      for (const [i, ms] of varied(to, 40, seed + 1).entries()) {
        now = addServiceTime(now, ms, i);
        if (now.meanMs > middle === to > from) return i + 1;
      }
      return Infinity;
    };
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
    const seeds = Array.from({ length: 51 }, (_, i) => 2 * i);
    expect(median(seeds.map((seed) => slowAfter(100, 1_000, seed)))).toBeLessThanOrEqual(7);
    expect(median(seeds.map((seed) => slowAfter(1_000, 100, seed)))).toBeLessThanOrEqual(9);
  });

  test("SC10 of a peer keeps near the mean while nothing changes, although the sizes of tasks vary", () => {
    let [now, far] = [learned(varied(1_000, 100)), 0];
    for (const ms of varied(1_000, 5_000, 77)) {
      now = addServiceTime(now, ms, 0);
      if (now.meanMs < 400 || now.meanMs > 2_500) far++;
    }
    expect(far).toBeLessThan(100);
  });

  test("SC10 of a peer is shrunk toward that of all peers while it rests on few samples", () => {
    const all = { meanMs: 1_000, weight: 64 };
    expect(expectedServiceMs(null, null)).toBe(SERVICE_UNKNOWN_MS);
    expect(expectedServiceMs(null, all)).toBe(1_000);
    expect(expectedServiceMs({ meanMs: 100, weight: 4 }, all)).toBeCloseTo(550, 9);
    expect(expectedServiceMs({ meanMs: 100, weight: 64 }, all)).toBeLessThan(160);
  });

  test("SC10 of a peer fades toward that of all peers while it has no new samples", () => {
    const all = { meanMs: 1_000, weight: 64 };
    const slow = { meanMs: 10_000, weight: 4, at: 0 };
    const after = (ms: number) => expectedServiceMs(slow, all, ms, SERVICE_TIME_MODEL);
    expect(after(SECOND)).toBeGreaterThan(8_000);
    expect(after(6 * HOUR)).toBeLessThan(2_500);
    expect(expectedServiceMs(slow, all, 6 * HOUR)).toBe(expectedServiceMs(slow, all));
  });
});
