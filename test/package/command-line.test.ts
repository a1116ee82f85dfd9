/** The command line from the packed package, outside of the checkout. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it, test } from "vitest";
import { run, tool, type Printed } from "./tools.ts";
import { present } from "../must.ts";

const { sdkFolder, mesh } = inject("installed");
const NPX = ["muster-mesh"] as const;

/** A home without the known meshes of the user. */
let home = "";
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "muster-package-home-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const environment = (): Record<string, string> => ({
  XDG_CONFIG_HOME: home,
  NO_COLOR: "1",
  MUSTER_URL: mesh.url,
  MUSTER_TOKEN: mesh.token,
});
const npx = (...args: readonly string[]): Promise<string> =>
  run("npx", [...NPX, ...args], { cwd: sdkFolder, env: environment() });

describe("PK9 npx muster-mesh", () => {
  it("generates a key, joins with a program, and assigns a task to it", async () => {
    const key = join(home, "key.json");
    expect(await npx("keygen", "--out", key)).toContain("key.json");
    const args = [...NPX, "join", mesh.url, "--mesh-key", mesh.meshKey, "--key-file", key];
    const peer = spawn("npx", [...args, "--kind", "measure", "--exec", "wc -c"], {
      cwd: sdkFolder,
      env: { ...process.env, ...environment() },
      detached: true,
      stdio: "ignore",
    });
    try {
      expect((await npx("assign", "measure", '"hello"', "--wait")).trim()).toBe("7");
    } finally {
      process.kill(-present(peer.pid), "SIGTERM");
    }
  });

  it("CL54 runs the handlers of a module in processes of their own", async () => {
    const key = join(home, "module-key.json");
    const file = join(home, "handlers.mjs");
    await writeFile(file, "export const handlers = { shout: (text) => text.toUpperCase() };");
    await npx("keygen", "--out", key);
    const args = [...NPX, "join", mesh.url, "--mesh-key", mesh.meshKey, "--key-file", key];
    const peer = spawn("npx", [...args, "--module", file], {
      cwd: sdkFolder,
      env: { ...process.env, ...environment() },
      detached: true,
      stdio: "ignore",
    });
    try {
      expect((await npx("assign", "shout", '"hello"', "--wait")).trim()).toBe('"HELLO"');
    } finally {
      process.kill(-present(peer.pid), "SIGTERM");
    }
  });

  it("runs on the oldest Node that the package states", async () => {
    const main = join(sdkFolder, "node_modules/muster-mesh/bin/muster.js");
    expect(await run(tool("node"), [main, "help"], { cwd: sdkFolder })).toContain(
      "usage: npx muster-mesh",
    );
  });

  it("PK9 an older Node is refused by one line, and the version is printed", async () => {
    const main = join(sdkFolder, "node_modules/muster-mesh/bin/muster.js");
    const older = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.11.0" } });`;
    const args = ["--import", `data:text/javascript,${encodeURIComponent(older)}`, main, "help"];
    const error = await run(tool("node"), args, { cwd: sdkFolder }).catch((cause: Error) => cause);
    expect((error as { cause: Printed }).cause.stderr).toBe(
      "muster: Node 22.11.0 is too old; install Node 22.12 or newer\n",
    );
    expect((await npx("--version")).trim()).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

/** Commands whose output names a command to go on with. */
const HINTS: readonly (readonly string[])[] = [
  ["no-such-command"],
  ["help"],
  ["task", "00000000-0000-4000-8000-000000000000"],
  ["join-key", "create", "--label", "test"],
  ["webhook", "update", "no-such-source"],
  ["join", "--key-file", "no-such-key.json", "--exec", "wc"],
];

describe("PK10 each command that a hint names works where the hint is printed", () => {
  test.each(HINTS.map((args) => [args.join(" "), args] as const))("%s", async (_, args) => {
    const printed = await npx(...args).catch(({ cause }: Error) => (cause as Printed).stderr);
    const hints = [...printed.matchAll(/(?:npx )?\bmuster(?:-mesh)? (?!COMMAND|\[)([a-z][a-z-]+)/g)]
      .filter(([hint]) => !printed.includes(`usage: ${hint}`))
      .map(([hint]) => hint);
    expect(hints.filter((hint) => hint.startsWith("npx muster-mesh "))).not.toEqual([]);
    for (const hint of new Set(hints.filter((each) => each.startsWith("npx ")))) {
      const [program = "", ...words] = hint.split(" ");
      expect(await run(program, [...words, "--help"], { cwd: sdkFolder })).toContain(
        "usage: npx muster-mesh",
      );
    }
    expect(hints.filter((hint) => hint.startsWith("npx muster "))).toEqual([]);
  });

  it("muster start asks for the package with the server, by the version that is installed", async () => {
    await expect(npx("start")).rejects.toThrow(
      /the package muster-mesh-server is not installed; .*`npm install muster-mesh@(\S+) muster-mesh-server@\1`/,
    );
  });
});
