import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectedUptime, lossRisk, uptimeAfter, type Uptime } from "../../src/scoring/uptime.ts";

const HOUR = 3_600_000;
const anyDuration = fc.integer({ min: 0, max: 1_000 * HOUR });

describe("the share of time that a peer is connected", () => {
  test("SC12 is the observed share, weighted toward the recent past", () => {
    let uptime = uptimeAfter(null, true, 0);
    uptime = uptimeAfter(uptime, true, HOUR);
    expect(uptime.share).toBe(1);
    uptime = uptimeAfter(uptime, false, 2 * HOUR);
    expect(uptime.share).toBeGreaterThan(0.45);
    expect(uptime.share).toBeLessThan(0.5);
    expect(uptimeAfter(uptime, false, 1_000 * HOUR).share).toBeCloseTo(0, 9);
  });

  test("SC12 counts little while it rests on seconds, and fully after days", () => {
    const gone = uptimeAfter(uptimeAfter(null, true, 0), false, 2_000);
    expect(gone.share).toBe(0);
    expect(expectedUptime(gone)).toBeGreaterThan(0.99);
    expect(expectedUptime(uptimeAfter(gone, false, 200 * HOUR))).toBeLessThan(0.05);
  });

  test("SC12 lies in 0 to 1 for any history and clock", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), anyDuration)), (history) => {
        let uptime: Uptime | null = null;
        for (const [connected, now] of history) {
          uptime = uptimeAfter(uptime, connected, now);
          expect(uptime.share >= 0 && uptime.share <= 1 && uptime.knownMs >= 0).toBe(true);
          expect(expectedUptime(uptime) >= 0 && expectedUptime(uptime) <= 1).toBe(true);
        }
      }),
    );
  });
});

describe("the risk that a session ends", () => {
  test("SC11 falls with the session's age and grows with the time span", () => {
    fc.assert(
      fc.property(anyDuration, anyDuration, anyDuration, (age, more, within) => {
        const risk = lossRisk(age, within);
        expect(risk >= 0 && risk < 1).toBe(true);
        expect(lossRisk(age + more, within)).toBeLessThanOrEqual(risk + 1e-12);
        expect(lossRisk(age, within + more)).toBeGreaterThanOrEqual(risk - 1e-12);
      }),
    );
  });

  test("SC11 within half a minute is over 1 % for a new session, and below 0.05 % after a day", () => {
    expect(lossRisk(0, 30_000)).toBeGreaterThan(0.01);
    expect(lossRisk(24 * HOUR, 30_000)).toBeLessThan(0.000_5);
  });
});
