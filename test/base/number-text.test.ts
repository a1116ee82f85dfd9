import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readDecimal, readSignedDecimal, readWholeNumber } from "../../src/base/number-text.ts";

const NO_NUMBERS = [
  "",
  " ",
  " 4",
  "4 ",
  "4\n",
  "+4",
  "-",
  "--4",
  "-0",
  "-0.0",
  "1e1",
  "1E1",
  "0x4",
  "0b1",
  "0o7",
  "04",
  "00",
  "4.",
  ".",
  "1_000",
  "1,000",
  "Infinity",
  "NaN",
  "٤",
  "4n",
  "9".repeat(400),
];

describe("numbers as people write them", () => {
  test.each(NO_NUMBERS)("CE170 %j is none", (text) => {
    for (const read of [readWholeNumber, readDecimal, readSignedDecimal])
      expect(read(text)).toBeNull();
  });

  test.each(["4.0", "0.5", ".5", "-0", "-4", "9007199254740993", "9".repeat(20)])(
    "CE170 %j is not a whole number",
    (text) => {
      expect(readWholeNumber(text)).toBeNull();
    },
  );

  test("CE170 every whole number is read as what it is written from", () => {
    fc.assert(fc.property(fc.maxSafeNat(), (value) => readWholeNumber(String(value)) === value));
  });

  test("CE170 what is read as a number is that number, whatever the text", () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[-+ ]?[0-9]{0,3}[.eEx_]?[0-9]{0,3}$/));
    fc.assert(
      fc.property(texts, (text) => {
        for (const value of [readWholeNumber(text), readDecimal(text), readSignedDecimal(text)])
          if (value !== null) expect([value, text]).toEqual([Number(text), text.trim()]);
      }),
    );
  });

  test("CE170 decimals and signs are read where they may be", () => {
    expect(["0", "4.25", ".25", "0.50"].map(readDecimal)).toEqual([0, 4.25, 0.25, 0.5]);
    expect(["-4.5", "-.5", "4"].map(readSignedDecimal)).toEqual([-4.5, -0.5, 4]);
    expect(readDecimal("-1")).toBeNull();
  });
});
