import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { knownMesh, rememberMesh } from "../../src/cli/known-meshes.ts";
import { runAtOnce } from "./at-once.ts";

let settings: string;
beforeEach(async () => {
  settings = await mkdtemp(join(tmpdir(), "muster-settings-"));
  vi.stubEnv("XDG_CONFIG_HOME", settings);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(settings, { recursive: true, force: true });
});

const KEY = "ab".repeat(32);
const OTHER = "cd".repeat(32);

test.each(["no lock", "the lock of a process that has ended", "an invalid lock"])(
  "CL11 pins that eight processes store at once are all kept: %s",
  async (lock) => {
    await mkdir(join(settings, "muster"));
    const file = join(settings, "muster/known-meshes.json.lock");
    const ended = { pid: 1, born: "long ago", nonce: crypto.randomUUID() };
    if (lock !== "no lock")
      await writeFile(file, lock === "an invalid lock" ? "{" : JSON.stringify(ended));
    const program = `
      const { rememberMesh } = await import(CLI + "known-meshes.ts");
      await begin();
      for (let round = 0; round < 3; round++)
        await rememberMesh("https://mesh" + N + "-" + round + ".test", { key: "${KEY}", next: null }, true);`;
    const exits = await runAtOnce(8, program, { XDG_CONFIG_HOME: settings });
    expect(exits).toEqual(Array.from({ length: 8 }, () => 0));
    const text = await readFile(join(settings, "muster/known-meshes.json"), "utf8");
    expect(Object.keys(JSON.parse(text) as object)).toHaveLength(24);
    // Neither a lock, nor a claim, nor a temporary file is left.
    expect(await readdir(join(settings, "muster"))).toEqual(["known-meshes.json"]);
  },
);

test("CL11 of two first connections that are proved different keys, one fails", async () => {
  await rememberMesh("https://mesh.test", { key: KEY, next: null }, true);
  await expect(rememberMesh("https://mesh.test", { key: OTHER, next: null }, true)).rejects.toThrow(
    `https://mesh.test proved the key ${OTHER} here, and ${KEY} to another process`,
  );
  expect(await knownMesh("https://mesh.test")).toEqual({ key: KEY, next: null });
});

test("CL11 a rotated key replaces the one before, and the file is private", async () => {
  await rememberMesh("https://mesh.test", { key: KEY, next: OTHER }, true);
  await rememberMesh("https://mesh.test", { key: OTHER, next: null }, false);
  expect(await knownMesh("wss://mesh.test/path")).toEqual({ key: OTHER, next: null });
  const { mode } = await stat(join(settings, "muster/known-meshes.json"));
  expect(mode & 0o777).toBe(0o600);
});
