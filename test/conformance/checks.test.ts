import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CheckInfo } from "../../src/conformance/check.ts";
import { GO_P2P_CHECKS } from "../../src/conformance/checks/go-p2p.ts";
import { MUSTER_2_CHECKS } from "../../src/conformance/checks/index.ts";
import { selectChecks } from "../../src/conformance/select-checks.ts";
import { SERVER_CHECKS } from "../../src/conformance/server/index.ts";

const DOCS = join(import.meta.dirname, "../../docs");
const PAGE = join(DOCS, "conformance.md");

const LISTS: readonly (readonly [title: string, checks: readonly CheckInfo[]])[] = [
  ["Checks of a peer over muster.2", MUSTER_2_CHECKS],
  ["Checks of a go-p2p node", GO_P2P_CHECKS],
  ["Checks of a mesh", SERVER_CHECKS],
];
const ALL = LISTS.flatMap(([, checks]) => checks);

/** The lists of docs/conformance.md. */
const catalog = (): string =>
  LISTS.flatMap(([title, checks]) => [
    `### ${title}`,
    "",
    ...checks.map(
      ({ id, level, subset, statement, section }) =>
        `- \`${id}\` (${level}, ${subset}): ${statement} ([section](${section}))`,
    ),
    "",
  ])
    .join("\n")
    .trimEnd();

describe("the checks of the conformance kit", () => {
  test("CF1 have IDs of their own, of two letters and two digits", () => {
    const ids = ALL.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[A-Z]{2}\d\d$/);
    expect(MUSTER_2_CHECKS.length).toBeGreaterThan(100);
  });

  test("CF1 state one sentence each", () => {
    for (const { id, statement } of ALL)
      expect([id, statement]).toEqual([id, expect.stringMatching(/^.{20,200}[^.]\.$/)]);
  });

  test("CF2 lead to a heading of the page that describes what they check", () => {
    for (const { id, section } of ALL) {
      const [page = "", anchor = ""] = section.split("#");
      expect([id, existsSync(join(DOCS, page))]).toEqual([id, true]);
      const anchors = [...readFileSync(join(DOCS, page), "utf8").matchAll(/^#+ (.+)$/gm)].map(
        ([, title = ""]) =>
          title
            .toLowerCase()
            .replaceAll(/[^\w\s-]/g, "")
            .replaceAll(" ", "-"),
      );
      expect([id, anchors]).toEqual([id, expect.arrayContaining([anchor])]);
    }
  });

  /** `npx vitest run --project core test/conformance/checks.test.ts -u` renews the lists. */
  test("CF2 are all listed in docs/conformance.md", async () => {
    const page = readFileSync(PAGE, "utf8");
    const [before = ""] = page.split(/^## The checks$/m);
    const renewed = `${before}## The checks\n\n${catalog()}\n`;
    await expect(renewed).toMatchFileSnapshot(PAGE);
  });

  test("CF3 of the core are a part of the full set, and some need more", () => {
    const core = selectChecks(MUSTER_2_CHECKS, {
      only: undefined,
      level: undefined,
      subset: "core",
    });
    expect(core.selected.length).toBeGreaterThan(50);
    expect(core.selected.length).toBeLessThan(MUSTER_2_CHECKS.length);
    expect(core.selected.every(({ subset }) => subset === "core")).toBe(true);
  });

  test("CF3 are selected by ID, level and subset together, in their order", () => {
    const only = ["wt01", "UP02", "HB04", "XX99"];
    const all = selectChecks(MUSTER_2_CHECKS, { only, level: undefined, subset: "full" });
    expect(all.selected.map(({ id }) => id)).toEqual(["UP02", "WT01", "HB04"]);
    expect(all.unknown).toEqual(["XX99"]);
    const must = selectChecks(MUSTER_2_CHECKS, { only, level: "must", subset: "core" });
    expect(must.selected.map(({ id }) => id)).toEqual(["UP02", "WT01"]);
  });
});
