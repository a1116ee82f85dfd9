import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const root = new URL("..", import.meta.url).pathname;

/** Named here, so that a section that gets lost is missed. */
const FAMILIES = "HS NX LV RC GS DL AD RL SC AS DS ST WH CB HT".split(" ");

const rules = [
  ...readFileSync(`${root}src/SPEC.md`, "utf8").matchAll(/^- \*\*([A-Z]{2}\d+)\*\*/gm),
].map((match) => match[1]);

/** Rule numbers that begin a test's name, anywhere in the tests. */
const cited = new Set(
  globSync("test/**/*.ts", { cwd: root }).flatMap((file) =>
    [...readFileSync(`${root}${file}`, "utf8").matchAll(/["'`]([A-Z]{2}\d+) [^"'`]/g)].map(
      (match) => match[1],
    ),
  ),
);

it("every rule of SPEC.md has a test that starts with its number", () => {
  expect(rules.length).toBeGreaterThan(0);
  expect(rules.filter((rule) => !cited.has(rule))).toEqual([]);
});

it("SPEC.md has the sections that are known here, and no others", () => {
  expect(new Set(rules.map((rule) => rule?.slice(0, 2)))).toEqual(new Set(FAMILIES));
});

it("no rule stands twice in SPEC.md", () => {
  expect(rules).toHaveLength(new Set(rules).size);
});

it("no test cites a rule that SPEC.md does not have", () => {
  expect(
    [...cited].filter(
      (rule) => FAMILIES.includes(String(rule).slice(0, 2)) && !rules.includes(rule),
    ),
  ).toEqual([]);
});
