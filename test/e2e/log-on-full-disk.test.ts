import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readMeshFile, readSecrets, stateFolder } from "../../src/cli/state-folder.ts";
import { controller } from "../../src/client/index.ts";
import { eventually, ProcessMarker, PROJECT } from "./processes.ts";

const FULL = "/dev/full";

let dir: string;
let mark: ProcessMarker;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-log-"));
  mark = new ProcessMarker();
});
afterEach(async () => {
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

/** Runs a command whose stdout is a file on a full disk. */
const startOnFullDisk = (...args: readonly string[]) =>
  spawn(process.execPath, [join(PROJECT, "src/cli/main.ts"), ...args], {
    cwd: dir,
    env: { ...process.env, ...mark.env },
    stdio: ["ignore", openSync(FULL, "w"), "ignore"],
  });

test.skipIf(!existsSync(FULL))(
  "SV61 a mesh and a worker whose logs are on a full disk do their work, and end as they should",
  async () => {
    const folder = stateFolder(join(dir, ".muster"));
    const serve = startOnFullDisk("serve", "--port", "0", "--auth-mode", "open");
    await eventually(
      async () => (await readMeshFile(folder)) !== null,
      () => "the mesh runs",
    );
    const { url } = (await readMeshFile(folder)) ?? { url: "" };
    const worker = startOnFullDisk("join", "--exec", "cat");
    const mesh = controller({ url, token: (await readSecrets(folder))?.ADMIN_TOKEN ?? "" });
    expect(await mesh.run("echo", "done")).toBe("done");
    for (const child of [worker, serve]) {
      child.kill("SIGTERM");
      expect(await once(child, "exit")).toEqual([0, null]);
    }
  },
);
