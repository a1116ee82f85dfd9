import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BundleCache } from "../../server/bundle-cache.ts";

const FILES = ["mesh.js", "kv.js"];
const CACHE = "node_modules/.cache/workers";

let root: string;
let starts = 0;
let bundlings = 0;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "muster-cache-"));
  for (const folder of ["dashboard/src", "durable", "server", "src/base", "workers/dashboard"])
    await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, "package-lock.json"), "{}");
  await writeFile(join(root, "src/base/a.ts"), "1");
  starts = 0;
  bundlings = 0;
});
afterEach(() => rm(root, { recursive: true, force: true }));

const bundle = async (folder: string): Promise<void> => {
  bundlings++;
  const made = await readFile(join(root, "src/base/a.ts"), "utf8");
  for (const file of FILES) await writeFile(join(folder, file), `${file} of ${made}`);
  // As the real one does.
  await writeFile(join(root, "workers/dashboard/assets.js"), `made ${bundlings}`);
};

/** What a start gets, in its own folder. */
async function provided(): Promise<readonly string[]> {
  const folder = join(root, `run-${starts++}`);
  await mkdir(folder);
  await new BundleCache(root, FILES).provide(folder, bundle);
  return Promise.all(FILES.map((file) => readFile(join(folder, file), "utf8")));
}
const of = (source: string) => FILES.map((file) => `${file} of ${source}`);

const CHANGES: readonly (readonly [string, () => Promise<unknown>])[] = [
  ["a source is written", () => writeFile(join(root, "src/base/a.ts"), "other")],
  ["a source is added", () => writeFile(join(root, "src/base/b.ts"), "")],
  ["a source is removed", () => rm(join(root, "workers/old.ts"))],
  ["the lockfile is written", () => writeFile(join(root, "package-lock.json"), "{ }")],
  ["the dashboard is written", () => writeFile(join(root, "dashboard/src/main.tsx"), "1")],
  ["the coordinator is written", () => writeFile(join(root, "durable/coordinator.ts"), "1")],
  ["the host's Workers are written", () => writeFile(join(root, "server/kv.ts"), "1")],
];

describe("SV62 the Workers of a checkout", () => {
  test("are bundled once for all starts, with what the bundling itself writes", async () => {
    for (let n = 0; n < 3; n++) expect(await provided()).toEqual(of("1"));
    expect(bundlings).toBe(1);
  });

  test.each(CHANGES)("are bundled again once %s", async (_, change) => {
    await writeFile(join(root, "workers/old.ts"), "");
    await provided();
    await change();
    const source = await readFile(join(root, "src/base/a.ts"), "utf8");
    for (let n = 0; n < 2; n++) expect(await provided()).toEqual(of(source));
    expect(bundlings).toBe(2);
    expect(await readdir(join(root, CACHE))).toHaveLength(1);
  });

  test("are bundled again after a change during the bundling", async () => {
    const folder = join(root, "first");
    await mkdir(folder);
    await new BundleCache(root, FILES).provide(folder, async (into) => {
      await bundle(into);
      await writeFile(join(root, "src/base/a.ts"), "changed");
    });
    expect(await provided()).toEqual(of("changed"));
  });

  test("are whole for each of the starts at the same time", async () => {
    const starting = Array.from({ length: 8 }, () => provided());
    for (const files of await Promise.all(starting)) expect(files).toEqual(of("1"));
    const before = bundlings;
    expect(await provided()).toEqual(of("1"));
    expect(bundlings).toBe(before);
  });

  test("are bundled by each start where they can't be kept", async () => {
    await writeFile(join(root, "node_modules"), "a file");
    for (let n = 0; n < 2; n++) expect(await provided()).toEqual(of("1"));
    expect(bundlings).toBe(2);
  });

  test("are bundled again where a kept file is missing", async () => {
    await provided();
    const [kept] = await readdir(join(root, CACHE));
    await rm(join(root, CACHE, String(kept), "kv.js"));
    expect(await provided()).toEqual(of("1"));
    expect(bundlings).toBe(2);
  });
});
