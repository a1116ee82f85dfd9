import * as fc from "fast-check";
import { expect, test } from "vitest";
import { describeFault } from "../../../src/base/json-text/fault-place.ts";
import { ExactMembers, readJson } from "../../../src/base/json-text/read-json.ts";
import { mustFail } from "../../must.ts";

const LIMITS = { maxDepth: 64 };
const faultOf = (text: string): string =>
  describeFault(text, mustFail(readJson(text, new ExactMembers(["payload"]), LIMITS)));

/** What JavaScript and Python write, and JSON has not. */
const NOT_JSON = ["NaN", "Infinity", "-Infinity", "undefined", "None", "True", "'text'", "0x10"];

test("HT75 the first character that is not JSON is named by its line and column, wherever it is", () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom(...NOT_JSON),
      fc.integer({ min: 0, max: 4 }),
      fc.constantFrom("payload", "other"),
      (before, word, indent, member) => {
        const text = JSON.stringify({ before, [member]: "@here@" }, null, indent).replace(
          '"@here@"',
          word,
        );
        const lines = text.split("\n");
        const line = lines.findLastIndex((each) => each.includes(word));
        // In `-Infinity` and `0x10` the first character is JSON.
        const inside = /^[-0]/.test(word) ? 1 : 0;
        const column = (lines[line] ?? "").lastIndexOf(word) + 1 + inside;
        expect(faultOf(text)).toMatch(new RegExp(` \\(line ${line + 1}, column ${column}\\)$`));
      },
    ),
  );
});

test.each([
  ["", "the JSON text is incomplete (line 1, column 1)"],
  ['{"a":1', "the JSON text is incomplete (line 1, column 7)"],
  ['{"a":1,\n}', "expected a key in double quotes (line 2, column 1)"],
  ['{"a":NaN}', "expected a JSON value (line 1, column 6)"],
  ["{}\n{}", "there is text after the end of the JSON value (line 2, column 1)"],
  ["[".repeat(65), "the JSON text is nested deeper than 64 levels (line 1, column 65)"],
])("HT75 %j is refused with the reason and the place", (text, fault) => {
  expect(faultOf(text)).toBe(fault);
});
