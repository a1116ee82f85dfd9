import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const root = new URL("..", import.meta.url).pathname;

/** The sections' prefixes, listed here so that the test notices a section that is deleted by mistake. */
const SECTIONS =
  "HS GP NX PR LV RC GS DL AD RL SC AS WK SK DR BR FQ GC SB DS ST WH CB HT CL PK BK SV EV TR DB MT".split(
    " ",
  );

const rules = [
  ...readFileSync(`${root}src/SPEC.md`, "utf8").matchAll(/^- \*\*([A-Z]{2}\d+)\*\*/gm),
].map((match) => match[1]);

/** The rule numbers with which test titles begin, in all test files. */
const cited = new Set(
  globSync("test/**/*.ts", { cwd: root }).flatMap((file) =>
    [...readFileSync(`${root}${file}`, "utf8").matchAll(/["'`]([A-Z]{2}\d+) [^"'`]/g)].map(
      (match) => match[1],
    ),
  ),
);

it("every rule of SPEC.md is cited by a test whose title begins with its number", () => {
  expect(rules.length).toBeGreaterThan(0);
  expect(rules.filter((rule) => !cited.has(rule))).toEqual([]);
});

it("SPEC.md has exactly the known sections", () => {
  expect(new Set(rules.map((rule) => rule?.slice(0, 2)))).toEqual(new Set(SECTIONS));
});

it("each rule number appears once in SPEC.md", () => {
  expect(rules).toHaveLength(new Set(rules).size);
});

it("test titles cite only rules that SPEC.md contains", () => {
  expect(
    [...cited].filter(
      (rule) => SECTIONS.includes(String(rule).slice(0, 2)) && !rules.includes(rule),
    ),
  ).toEqual([]);
});
