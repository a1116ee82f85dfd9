import { expect, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND, toRfc3339 } from "../../src/base/clock.ts";

test("toRfc3339 formats a time in UTC with milliseconds", () => {
  expect(toRfc3339(0)).toBe("1970-01-01T00:00:00.000Z");
  expect(toRfc3339(1_767_323_045_006)).toBe("2026-01-02T03:04:05.006Z");
});

test("SECOND, MINUTE, HOUR and DAY are in milliseconds", () => {
  expect([SECOND, MINUTE, HOUR, DAY]).toEqual([1_000, 60_000, 3_600_000, 86_400_000]);
});
