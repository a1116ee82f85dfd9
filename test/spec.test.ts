import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const root = new URL("..", import.meta.url).pathname;

/** The sections' prefixes, listed here so that the test notices a section that is deleted by mistake. */
const SECTIONS =
  "HS GP NX PR LV RC GS DL AD RL SC AS WK SK PY DR BR FQ GC SB DS ST WH CB HT CL CF PK BK SV EV TR DB MT CE".split(
    " ",
  );

const rules = [
  ...readFileSync(`${root}src/SPEC.md`, "utf8").matchAll(/^- \*\*([A-Z]{2}\d+)\*\*/gm),
].map(([, rule = ""]) => rule);

const titlesIn = (files: string, pattern: RegExp): readonly string[] =>
  globSync(files, { cwd: root }).flatMap((file) =>
    [...readFileSync(`${root}${file}`, "utf8").matchAll(pattern)].map(([, rule = ""]) =>
      rule.toUpperCase(),
    ),
  );

/** The rule numbers with which test titles begin, in all test files. The names of tests in Python begin with `test_` and the rule. */
const cited = new Set([
  ...titlesIn("test/**/*.ts", /["'`]([A-Z]{2}\d+) [^"'`]/g),
  ...titlesIn("python/tests/test_*.py", /^(?:async )?def test_([a-z]{2}\d+)_/gm),
]);

it("every rule of SPEC.md is cited by a test whose title begins with its number", () => {
  expect(rules.length).toBeGreaterThan(0);
  expect(rules.filter((rule) => !cited.has(rule))).toEqual([]);
});

it("SPEC.md has exactly the known sections", () => {
  expect(new Set(rules.map((rule) => rule.slice(0, 2)))).toEqual(new Set(SECTIONS));
});

it("each rule number appears once in SPEC.md", () => {
  expect(rules).toHaveLength(new Set(rules).size);
});

it("test titles cite only rules that SPEC.md contains", () => {
  expect(
    [...cited].filter((rule) => SECTIONS.includes(rule.slice(0, 2)) && !rules.includes(rule)),
  ).toEqual([]);
});
