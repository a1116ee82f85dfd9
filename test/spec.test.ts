import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const root = new URL("..", import.meta.url).pathname;

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

it("no rule stands twice in SPEC.md", () => {
  expect(rules).toHaveLength(new Set(rules).size);
});

it("no test cites a rule that SPEC.md does not have", () => {
  const families = new Set(rules.map((rule) => rule?.slice(0, 2)));
  expect(
    [...cited].filter((rule) => families.has(rule?.slice(0, 2)) && !rules.includes(rule)),
  ).toEqual([]);
});
