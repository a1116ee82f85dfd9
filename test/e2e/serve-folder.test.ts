import { chmod, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectPeer } from "../../src/client/index.ts";
import { ProcessMarker, start, startedLine, type MusterProcess } from "./processes.ts";
import { present } from "../must.ts";

let dir: string;
let mark: ProcessMarker;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-folder-"));
  mark = new ProcessMarker();
});
afterEach(async () => {
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

type Line = Readonly<Record<string, string>>;

/** Runs a mesh; returns it with what it said when it started. */
async function run(command: "serve" | "start", args: readonly string[] = []) {
  const form = command === "serve" ? ["--log", "json"] : ["--json"];
  const mesh = start([command, "--port", "0", ...form, ...args], { cwd: dir, env: mark.env });
  await mesh.waitForOutput(/"auth_mode"/);
  return { mesh, line: startedLine(mesh) };
}

async function stop(mesh: MusterProcess): Promise<void> {
  mesh.child.kill("SIGTERM");
  await mesh.finished;
}

/** The auth mode in which the command runs the folder's mesh. */
async function modeOf(command: "serve" | "start", args: readonly string[] = []) {
  const { mesh, line } = await run(command, args);
  await stop(mesh);
  return line["auth_mode"];
}

describe("the folder of a mesh", () => {
  test("SV29 a mesh that was an allowlist when it last ran does not open under muster start, until somebody says so", async () => {
    expect(await modeOf("serve")).toBe("allowlist");
    expect(await modeOf("start")).toBe("allowlist");
    expect(await modeOf("start", ["--open"])).toBe("open");
    expect(await modeOf("start")).toBe("open");
    // And muster serve opens only what is set to be open.
    expect(await modeOf("serve")).toBe("allowlist");
    expect(await modeOf("start")).toBe("allowlist");
  });

  test("SV30 nobody but its user can read or list what a mesh writes", async () => {
    // As an earlier version left it.
    const objects = join(dir, ".muster/state/objects");
    await mkdir(join(objects, "muster-Coordinator"), { recursive: true });
    await chmod(objects, 0o755);
    await chmod(join(objects, "muster-Coordinator"), 0o755);
    const { mesh, line } = await run("serve", ["--auth-mode", "open"]);
    const { url = "", mesh_key: meshKey = "" } = line;
    const peer = connectPeer({ url, meshKey, handlers: {} });
    await peer.ready;
    const found = await readdir(join(dir, ".muster"), { recursive: true });
    for (const name of ["run/mesh.js", "run/workerd.capnp", "state/objects/muster-PeerSession"])
      expect(found).toContain(name);
    expect(found.filter((name) => name.endsWith(".sqlite")).length).toBeGreaterThan(3);
    for (const name of found) {
      // SQLite removes files beside a database at any time.
      const mode = await stat(join(dir, ".muster", name)).then(
        (file) => file.mode & 0o077,
        () => 0,
      );
      expect([name, mode]).toEqual([name, 0]);
    }
    await peer.close();
    await stop(mesh);
  });

  test("SV31 of a workerd that crashes the first line says what happened, and its report follows", async () => {
    const { mesh } = await run("serve");
    const workerd = (await mark.markedProcesses()).find(({ command }) =>
      command.includes("workerd serve /"),
    );
    process.kill(present(workerd).pid, "SIGSEGV");
    const ended = await mesh.finished;
    const lines = ended.stdout
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text) as Line);
    const errors = lines.filter(({ level }) => level === "error");
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^workerd ended unexpectedly \((?:SIGSEGV|exit code \d+)\)$/),
    ]);
    const report = lines.findIndex(({ message }) => message?.startsWith("*** ") === true);
    if (report !== -1) {
      expect(lines[report]?.["level"]).toBe("warn");
      expect(report).toBeGreaterThan(lines.indexOf(errors[0] as Line));
    }
    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stderr)).toMatchObject({ message: "the mesh ended unexpectedly" });
    await mark.expectNoneLeft();
  });
});
