import { describe, expect, it, test } from "vitest";
import {
  ago,
  bytes,
  count,
  counted,
  dollars,
  duration,
  line,
  lines,
  number,
  percent,
} from "../../dashboard/src/model/format.ts";

describe("how the dashboard writes values", () => {
  test.each([
    [null, "–"],
    [0, "0 ms"],
    [0.4, "0.4 ms"],
    [7.25, "7.3 ms"],
    [340, "340 ms"],
    [2_440, "2.4 s"],
    [59_400, "59 s"],
    [200_000, "3 min 20 s"],
    [7_200_000, "2 h"],
    [7_500_000, "2 h 5 min"],
    [4 * 86_400_000 + 3 * 3_600_000, "4 d 3 h"],
    [-5, "0 ms"],
    [Number.NaN, "–"],
  ])("a time span of %s ms is %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  test.each([
    [null, "–"],
    [0, "0 %"],
    [0.0001, "< 0.1 %"],
    [0.0525, "5.3 %"],
    [0.05, "5 %"],
    [0.6667, "67 %"],
    [1, "100 %"],
  ])("a share of %s is %s", (share, text) => {
    expect(percent(share)).toBe(text);
  });

  test.each([
    [0, "0 B"],
    [950, "950 B"],
    [1_234, "1.23 kB"],
    [913_000, "913 kB"],
    [10_000_000_000, "10 GB"],
  ])("%s bytes are %s", (size, text) => {
    expect(bytes(size)).toBe(text);
  });

  test("counts have separators and their noun", () => {
    expect(count(12_345)).toBe("12,345");
    expect(counted(1, "peer")).toBe("1 peer");
    expect(counted(2_000, "peer")).toBe("2,000 peers");
    expect(number(12.345)).toBe("12.3");
  });

  test("a time is told by how long ago it is, or in how long it comes", () => {
    const now = Date.parse("2026-01-01T01:00:00Z");
    expect(ago("2026-01-01T01:00:00.500Z", now)).toBe("now");
    expect(ago("2026-01-01T00:59:30Z", now)).toBe("30 s ago");
    expect(ago("2026-01-01T03:00:00Z", now)).toBe("in 2 h");
    expect(ago(null, now)).toBe("–");
  });
});

describe("text from elsewhere", () => {
  it("DB8 has no character that reorders, hides or breaks what is beside it", () => {
    expect(line("a\u202egnp.exe\u0000\n")).toBe("a\\u202egnp.exe\\u0000\\n");
    expect(lines("one\ntwo\u200b")).toBe("one\ntwo\\u200b");
  });
});

test("DB31 amounts are in dollars, and small ones are not shown as zero", () => {
  expect([0, 0.000_01, 0.0042, 0.5, 1, 12.5].map(dollars)).toEqual([
    "$0",
    "less than $0.0001",
    "$0.0042",
    "$0.50",
    "$1.00",
    "$12.50",
  ]);
});
