import { describe, expect, test } from "vitest";
import {
  REFUSAL_REPORT_ENTRIES_MAX,
  RefusalReports,
  type Refusal,
} from "../../src/webhooks/refusal-reports.ts";
import { present } from "../must.ts";
import { seededNumbers } from "../random.ts";

const refusal = (more: Partial<Refusal> = {}): Refusal => ({
  source: "ci",
  sourceId: "1",
  code: "signature_invalid",
  detail: "the signature does not match",
  recorded: false,
  method: "POST",
  headers: {},
  address: "192.0.2.1",
  bytes: 2,
  ...more,
});

/** Reports everything, and returns what was reported. */
function reported(reports: RefusalReports, now: number) {
  const taken = [];
  while (!reports.isEmpty) taken.push(reports.take(now));
  return taken;
}

describe("what an isolate reports of refused deliveries", () => {
  test("WH63 the first is reported at once, and what follows together after the interval", () => {
    const reports = new RefusalReports();
    expect(reports.claim(0)).toBeNull();
    reports.add(refusal(), 10_000);
    expect(reports.claim(10_000)).toBe(0);
    expect(reports.take(10_000).refused).toMatchObject([{ count: 1, firstAt: 10_000 }]);
    reports.release();
    reports.add(refusal({ address: "192.0.2.2" }), 10_500);
    expect(reports.claim(10_500)).toBe(1_500);
    reports.add(refusal({ address: "192.0.2.3" }), 11_000);
    expect(reports.claim(11_000)).toBeNull(); // somebody does it already
    expect(reports.take(12_000).refused).toMatchObject([
      { count: 2, firstAt: 10_500, lastAt: 11_000, address: "192.0.2.3" },
    ]);
  });

  test("WH63 a report that the platform ended is made by somebody else a minute later", () => {
    const reports = new RefusalReports();
    reports.add(refusal(), 0);
    expect(reports.claim(0)).toBe(0);
    expect(reports.claim(59_999)).toBeNull();
    expect(reports.claim(60_000)).toBe(0);
  });

  test("WH63 a flood costs one report in each interval and one entry for each source and reason, and none is lost", () => {
    const random = seededNumbers(3);
    const reports = new RefusalReports();
    const codes = ["signature_invalid", "signature_missing", "rate_limited"] as const;
    const sent = new Map<string, number>();
    let unknown = 0;
    let sending: number | null = null;
    let reportsSent = 0;
    const requests = 20_000;
    for (let n = 0; n < requests; n++) {
      const now = n; // one each millisecond
      if (sending !== null && now >= sending) {
        const batch = reports.take(now);
        reportsSent++;
        if (random() < 0.2) reports.putBack(batch);
        else {
          for (const entry of batch.refused) {
            const key = `${entry.source} ${entry.code}`;
            sent.set(key, (sent.get(key) ?? 0) + entry.count);
          }
          unknown += batch.unknownSources?.count ?? 0;
          expect(batch.refused.length).toBeLessThanOrEqual(9);
        }
        reports.release();
        sending = null;
      }
      const source = `s${Math.floor(random() * 4)}`;
      const code = present(codes[Math.floor(random() * 3)]);
      if (source === "s3") reports.addUnknown(now);
      else reports.add(refusal({ source, code, address: `192.0.2.${n % 256}` }), now);
      const wait = reports.claim(now);
      if (wait !== null) sending = now + wait;
    }
    reports.release();
    for (const batch of reported(reports, requests)) {
      for (const { source, code, count } of batch.refused)
        sent.set(`${source} ${code}`, (sent.get(`${source} ${code}`) ?? 0) + count);
      unknown += batch.unknownSources?.count ?? 0;
    }
    expect(reportsSent).toBeLessThanOrEqual(1 + requests / 2_000);
    expect([...sent.values()].reduce((a, b) => a + b, unknown)).toBe(requests);
  });

  test("WH63 a report has a bounded number of entries, and the rest follows", () => {
    const reports = new RefusalReports();
    for (let n = 0; n < 120; n++) reports.add(refusal({ source: `s${n}` }), 0);
    const sizes = reported(reports, 0).map(({ refused }) => refused.length);
    expect(sizes).toEqual([REFUSAL_REPORT_ENTRIES_MAX, REFUSAL_REPORT_ENTRIES_MAX, 20]);
  });
});
