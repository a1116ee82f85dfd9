import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readRetryAfter, RETRY_AFTER_SECONDS_MAX } from "../../src/protocol/retry-after.ts";

const NOW = Date.UTC(2026, 10, 28, 12, 0, 0);
const seconds = (retryAfter: string, date?: string, now = NOW) =>
  readRetryAfter(
    new Headers({ "Retry-After": retryAfter, ...(date !== undefined && { Date: date }) }),
    now,
  );

/** A time in the three forms of RFC 9110 section 5.6.7. */
function formsOf(at: number): string[] {
  const imf = new Date(at).toUTCString();
  const [day = "", date = "", month = "", year = "", time = ""] = imf.replace(",", "").split(" ");
  const long = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
  return [
    imf,
    `${long[new Date(at).getUTCDay()]}, ${date}-${month}-${year.slice(2)} ${time} GMT`,
    `${day} ${month} ${date.replace(/^0/, " ")} ${time} ${year}`,
  ];
}

describe("CB46 Retry-After", () => {
  test.each([
    ["0", 0],
    ["120", 120],
    ["86400", 86_400],
    ["86401", 86_400],
    ["9".repeat(400), 86_400],
  ])("in seconds, %s, is %i s", (text, expected) => {
    expect(seconds(text)).toBe(expected);
  });

  test("as a date in each of the three forms is the time until then", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 86_400 }),
        fc.integer({ min: 0, max: 2 ** 31 }),
        (ahead, at) => {
          for (const form of formsOf(at * 1_000 + ahead * 1_000))
            expect([form, seconds(form, undefined, at * 1_000)]).toEqual([form, ahead]);
        },
      ),
    );
  });

  test("as a date is counted by the sender's clock, in each form, if the answer has a date", () => {
    const theirs = NOW - 7 * 3_600_000;
    for (const date of formsOf(theirs))
      for (const form of formsOf(theirs + 90_000)) expect(seconds(form, date)).toBe(90);
    expect(seconds(new Date(NOW + 90_000).toUTCString(), "yesterday")).toBe(90);
  });

  test("as a date that has passed is 0, and as one far ahead the longest time", () => {
    for (const form of formsOf(NOW - 1_000)) expect(seconds(form)).toBe(0);
    for (const form of formsOf(NOW + 400 * 86_400_000))
      expect(seconds(form)).toBe(RETRY_AFTER_SECONDS_MAX);
  });

  test.each([
    "",
    "soon",
    "-1",
    "+5",
    "1.5",
    "1e3",
    "0x10",
    "5 s",
    "5, 6",
    "Sun, 31 Jun 2026 08:49:37 GMT",
    "Sun, 06 Nov 2026 24:49:37 GMT",
    "Sun, 06 Nov 2026 08:60:37 GMT",
    "Sun, 06 Nov 2026 08:49:61 GMT",
    "Sun, 06 Nov 2026 08:49:37",
    "Sun, 06 Nov 2026 08:49:37 PST",
    "Sun, 06 Nov 0026 08:49:37 GMT",
    "06 Nov 2026 08:49:37 GMT",
    "2026-11-28T12:00:00Z",
    "Sun Nov 6 08:49:37 2026",
  ])("that is neither is ignored: %s", (text) => {
    expect(seconds(text)).toBeNull();
  });

  test("of any text is null or within its bounds", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary-ascii" }),
        fc.string({ unit: "binary-ascii" }),
        (text, date) => {
          const headers = { get: (name: string) => (name === "date" ? date : text) };
          const read = readRetryAfter(headers, NOW);
          expect(read === null || (read >= 0 && read <= RETRY_AFTER_SECONDS_MAX)).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
