/**
 * What works on which platform, with the package as users install it. docs/platforms.md shows it. To renew its table:
 * `npx vitest run --project package test/package/platforms.test.ts -u`, where nothing is skipped.
 */
import { existsSync, readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, inject, it, test } from "vitest";
import { bundleWithEsbuild, bundleWithVite, runInBrowser } from "./pages.ts";
import { platformTable, type Outcome } from "./platform-table.ts";
import { chromium, NEWEST_NODE, OLDEST_NODE, ROOT, rootTool, run, TOOLS, tool } from "./tools.ts";

const { sdkFolder, mesh } = inject("installed");

interface Platform {
  readonly title: string;
  /** Short, for the kinds of its tasks. */
  readonly name: string;
  /** What is missing here; empty if nothing is. */
  readonly missing: string;
  readonly use: (settings: object) => Promise<unknown>;
}

/** Runs the program by a command line that ends with the settings. */
const runtime =
  (program: string, ...flags: readonly string[]) =>
  async (settings: object): Promise<unknown> => {
    const args = [...flags, join(sdkFolder, "runtime.mjs"), JSON.stringify(settings)];
    const env = { DENO_NO_UPDATE_CHECK: "1", NODE_OPTIONS: "" };
    const printed = await run(program, args, { cwd: sdkFolder, env });
    return JSON.parse(printed.trim().split("\n").at(-1) ?? "");
  };

const versionOf = (name: string, folder: string): string => {
  const manifest = readFileSync(join(folder, "node_modules", name, "package.json"), "utf8");
  return (JSON.parse(manifest) as { readonly version: string }).version;
};
const unless = (path: string | undefined, what: string): string =>
  path !== undefined && existsSync(path) ? "" : `${what} is not installed`;

const DENO_FLAGS = [
  "run",
  "--quiet",
  "--no-prompt",
  "--no-remote",
  "--node-modules-dir=manual",
  "--allow-net",
  "--allow-read",
];

const PLATFORMS: readonly Platform[] = [
  {
    title: `Node ${OLDEST_NODE}, the oldest`,
    name: "oldest-node",
    missing: unless(tool("node"), "that Node"),
    use: runtime(tool("node")),
  },
  {
    title: `Node ${NEWEST_NODE}`,
    name: "node",
    missing: "",
    use: runtime(process.execPath),
  },
  {
    title: `Deno ${versionOf("deno", ROOT)}`,
    name: "deno",
    missing: unless(rootTool("deno"), "Deno"),
    use: runtime(rootTool("deno"), ...DENO_FLAGS),
  },
  {
    title: `Bun ${versionOf("bun", TOOLS)}`,
    name: "bun",
    missing: unless(tool("bun"), "Bun"),
    use: runtime(tool("bun"), "run"),
  },
  {
    title: `Chromium, bundled by esbuild ${versionOf("esbuild", ROOT)}`,
    name: "esbuild",
    missing: unless(chromium(), "chromium"),
    use: async (settings) => runInBrowser(await bundleWithEsbuild(sdkFolder), sdkFolder, settings),
  },
  {
    title: `Chromium, bundled by Vite ${versionOf("vite", ROOT)}`,
    name: "vite",
    missing: unless(chromium(), "chromium"),
    use: async (settings) => runInBrowser(await bundleWithVite(sdkFolder), sdkFolder, settings),
  },
];

/** The cells of a row, whose widths depend on the other rows. */
const cellsOf = (line: string): readonly string[] => line.split("|").map((cell) => cell.trim());

const outcomes = new Map<string, Outcome>();

describe("PK6 on each platform, a peer joins, returns a result of 1 MiB and runs tasks in threads; a controller gives tasks", () => {
  for (const { title, name, missing, use } of PLATFORMS)
    test.skipIf(missing !== "")(
      `${title}${missing === "" ? "" : ` (skipped: ${missing})`}`,
      async () => {
        await copyFile(join(sdkFolder, "handlers.mjs"), join(sdkFolder, `${name}.handlers.mjs`));
        const seen = (await use({ ...mesh, name })) as Outcome;
        outcomes.set(title, seen);
        expect(seen).toEqual({
          joins: true,
          largeResult: true,
          submits: true,
          binary: true,
          refusals: true,
          threads: true,
          sealedForms: true,
        });
      },
    );
});

test("PK18 on every platform that was there, binary data travels, and what JSON can't carry is refused", () => {
  expect(outcomes.size).toBeGreaterThan(0);
  for (const [title, { binary, refusals }] of outcomes)
    expect({ title, binary, refusals }).toEqual({ title, binary: true, refusals: true });
});

describe("PK7 docs/platforms.md", () => {
  const PAGE = join(ROOT, "docs/platforms.md");
  const TABLE = /(?<=<!-- platforms -->\n)[\s\S]*(?=<!-- end -->)/;

  it("shows what these tests have seen", async () => {
    const committed = readFileSync(PAGE, "utf8");
    expect(committed).toMatch(TABLE);
    const rows = platformTable(outcomes);
    if (outcomes.size === PLATFORMS.length)
      await expect(committed.replace(TABLE, `\n${rows.join("\n")}\n\n`)).toMatchFileSnapshot(PAGE);
    // A run that skips some compares what it has seen, and renews nothing.
    else
      for (const cells of rows.slice(2).map(cellsOf))
        expect(committed.split("\n").map(cellsOf)).toContainEqual(cells);
  });
});

afterAll(() => outcomes.clear());
