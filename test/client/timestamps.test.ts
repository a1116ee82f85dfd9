import { expect, test } from "vitest";
import { risingTimestamps } from "../../src/client/connection/timestamps.ts";
import { Envelope } from "../../src/protocol/envelope.ts";

const at = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

test("timestamps have nanoseconds, which the envelope's schema accepts", () => {
  const next = risingTimestamps(() => at);
  expect(next()).toBe("2026-01-02T03:04:05.006000000Z");
  expect(Envelope.shape.ts.safeParse(next()).success).toBe(true);
});

test("timestamps within one millisecond still increase", () => {
  const next = risingTimestamps(() => at);
  expect([next(), next(), next()]).toEqual([
    "2026-01-02T03:04:05.006000000Z",
    "2026-01-02T03:04:05.006000001Z",
    "2026-01-02T03:04:05.006000002Z",
  ]);
});

test("timestamps keep increasing when the clock is set back", () => {
  let now = at;
  const next = risingTimestamps(() => now);
  const before = next();
  now -= 3_600_000;
  const after = next();
  expect(after > before).toBe(true);
  now = at + 1;
  expect(next()).toBe("2026-01-02T03:04:05.007000000Z");
});
