/** A mesh from nothing: both packages, and the commands that they print. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, it, test } from "vitest";
import { run } from "./tools.ts";

const { allFolder } = inject("installed");
const HOST = join(allFolder, "node_modules/muster-mesh-server/dist/server/index.js");
const missing = existsSync(HOST) ? "" : " (skipped: the checkout has no folder server/)";

let home = "";
let started: ChildProcess[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "muster-package-home-"));
});
afterEach(async () => {
  for (const { pid } of started) if (pid !== undefined) process.kill(-pid, "SIGTERM");
  await Promise.all(started.map((child) => ended(child)));
  started = [];
  // Processes that were just ended may still write.
  await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

const environment = (): NodeJS.ProcessEnv => {
  const { MUSTER_URL: _url, MUSTER_TOKEN: _token, ...env } = process.env;
  return { ...env, XDG_CONFIG_HOME: home, NO_COLOR: "1" };
};

const ended = (child: ChildProcess): Promise<unknown> =>
  child.exitCode === null && child.signalCode === null
    ? new Promise((resolve) => child.once("exit", resolve))
    : Promise.resolve();

/** Runs a command line as a user types it; resolves when its output matches, with the output. */
function type(line: string, until: RegExp): Promise<string> {
  const child = spawn("sh", ["-c", line], {
    cwd: allFolder,
    env: environment(),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  return new Promise((resolve, reject) => {
    let printed = "";
    const read = (chunk: Buffer): void => {
      printed += String(chunk);
      if (until.test(printed)) resolve(printed);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", (code) => reject(new Error(`${line} ended with ${code}: ${printed}`)));
  });
}

describe.skipIf(missing !== "")(`PK15 with both packages${missing}`, () => {
  it("muster start runs a mesh, the commands that it prints join it and give it a task, and PK25 the dashboard is served", async () => {
    const dir = join(home, "mesh");
    const printed = await type(`npx muster-mesh start --port 0 --dir ${dir}`, /Ctrl-C stops it/);
    const [, joining = ""] = /^Join it here: +(.+)$/m.exec(printed) ?? [];
    const [, assigning = ""] = /^Submit a task: +(.+)$/m.exec(printed) ?? [];
    expect([joining, assigning]).toEqual([
      expect.stringMatching(/^npx muster-mesh join /),
      expect.stringMatching(/^npx muster-mesh assign /),
    ]);
    const [url = ""] = /http:\/\/[^\s]+/.exec(printed) ?? [];
    const page = await fetch(`${url}/dashboard`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("/dashboard/")]);
    await type(joining, /joined|ready|active/i);
    const result = await run("sh", ["-c", assigning], { cwd: allFolder, env: environment() });
    expect(result.trim()).toBe("7");
  });

  it("muster demo hashes the package's own files", async () => {
    const printed = await run("npx", ["muster-mesh", "demo"], {
      cwd: allFolder,
      env: environment(),
    });
    expect(printed).toMatch(/^(\d+) of \1 correct/m);
  });

  test("neither wrangler nor Miniflare is installed", () => {
    for (const name of ["wrangler", "miniflare", "esbuild"])
      expect(existsSync(join(allFolder, "node_modules", name))).toBe(false);
  });
});
