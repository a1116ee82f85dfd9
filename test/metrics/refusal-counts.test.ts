import { describe, expect, it } from "vitest";
import { RefusalCounter, type RefusalCounts } from "../../src/metrics/refusal-counts.ts";

const NOW = 1_796_000_000_000;

describe("what an isolate has refused", () => {
  it("MT12 is reported at most once in 20 s, however much it is, and nothing is lost", async () => {
    const counter = new RefusalCounter();
    const reports: { readonly at: number; readonly counts: RefusalCounts }[] = [];
    let due: number | null = null;
    for (let ms = 0; ms < 100_000; ms += 10) {
      const now = NOW + ms;
      if (due !== null && due <= now) {
        due = null;
        await counter.report(now, async (counts) => ({
          ok: reports.push({ at: now, counts }) > 0,
        }));
      }
      counter.add("gateway", "unauthorized");
      if (ms % 100 === 0) counter.add("handshake", "proof_failed");
      const wait = counter.claim(now);
      if (wait !== null) due = now + wait;
    }
    await counter.report(NOW + 100_000, async (counts) => ({
      ok: reports.push({ at: NOW + 100_000, counts }) > 0,
    }));
    expect(reports.length).toBeLessThanOrEqual(6);
    const times = reports.slice(0, -1).map(({ at }) => at);
    for (const [index, at] of times.slice(1).entries())
      expect(at - (times[index] ?? 0)).toBeGreaterThanOrEqual(20_000);
    const total = (reason: string): number =>
      reports
        .flatMap(({ counts }) => counts)
        .reduce((sum, [, code, count]) => sum + (code === reason ? count : 0), 0);
    expect([total("unauthorized"), total("proof_failed")]).toEqual([10_000, 1_000]);
  });

  it("MT12 goes with the next report if one does not arrive", async () => {
    const counter = new RefusalCounter();
    counter.add("gateway", "unauthorized", 3);
    expect(counter.claim(NOW)).toBe(0);
    expect(counter.claim(NOW)).toBeNull();
    await counter.report(NOW, async () => ({ ok: false }));
    expect(counter.claim(NOW + 1_000)).toBe(19_000);
    const sent: RefusalCounts[] = [];
    await counter.report(NOW + 20_000, async (counts) => ({ ok: sent.push(counts) > 0 }));
    expect(sent).toEqual([[["gateway", "unauthorized", 3]]]);
    expect(counter.claim(NOW + 20_000)).toBeNull();
  });

  it("MT12 is reported soon although the clock was set back, and by another request if one was ended", () => {
    const counter = new RefusalCounter();
    counter.add("gateway", "unauthorized");
    expect(counter.claim(NOW)).toBe(0);
    expect(counter.claim(NOW + 59_999)).toBeNull();
    expect(counter.claim(NOW + 60_000)).toBe(0);
  });
});
