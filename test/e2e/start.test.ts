import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ProcessMarker, muster, PROJECT, start, type MusterProcess } from "./processes.ts";

let dir: string;
let mark: ProcessMarker;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-start-"));
  mark = new ProcessMarker();
});
afterEach(async () => {
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

const runOptions = () => ({ cwd: dir, env: mark.env });

async function startMeshCommand(): Promise<MusterProcess> {
  const mesh = start(["start", "--port", "0"], runOptions());
  await mesh.waitForOutput(/Ctrl-C stops it/);
  return mesh;
}

async function argumentsOf(pid: number): Promise<string> {
  const { stdout } = await promisify(execFile)("ps", ["-ww", "-o", "args=", "-p", String(pid)]);
  return stdout;
}

describe("start", () => {
  test("prints the URL of the mesh and the file of its token, but not the token", async () => {
    const mesh = await startMeshCommand();
    const secrets = await readFile(join(dir, ".muster/secrets.env"), "utf8");
    const token = /^ADMIN_TOKEN=(.+)$/m.exec(secrets)?.[1] ?? "";
    expect(token).toHaveLength(64);
    expect(mesh.stdout).toMatch(/^Muster is running at http:\/\/127\.0\.0\.1:\d+$/m);
    expect(mesh.stdout).toContain(join(dir, ".muster/secrets.env"));
    expect(mesh.stdout + mesh.stderr).not.toContain(token);
    const { stdout } = await muster(["mesh", "--json"], runOptions());
    const { public_key } = JSON.parse(stdout) as { public_key: string };
    expect(mesh.stdout).toContain(public_key);
    const pids = (await mark.markedProcesses()).map(({ pid }) => pid);
    for (const pid of pids) expect(await argumentsOf(pid)).not.toContain(token);
    expect((await Promise.all(pids.map(argumentsOf))).join("\n")).toContain("workerd serve");
    mesh.child.kill("SIGINT");
    await mesh.finished;
  });

  test("SV6 shuts down on Ctrl-C, with every process that it started", async () => {
    const mesh = await startMeshCommand();
    expect((await mark.markedProcesses()).length).toBeGreaterThan(2);
    mesh.child.kill("SIGINT");
    expect(await mesh.finished).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("stopped"),
    });
    await mark.expectNoneLeft();
  });

  test("stores its secrets readable by the owner only, and its state for the next start", async () => {
    const first = await startMeshCommand();
    const before = JSON.parse((await muster(["mesh", "--json"], runOptions())).stdout) as object;
    const taskId = (await muster(["assign", "wait"], runOptions())).stdout.trim();
    first.child.kill("SIGTERM");
    expect((await first.finished).code).toBe(0);
    expect((await stat(join(dir, ".muster"))).mode & 0o777).toBe(0o700);
    expect((await stat(join(dir, ".muster/secrets.env"))).mode & 0o777).toBe(0o600);

    const second = await startMeshCommand();
    const after = JSON.parse((await muster(["mesh", "--json"], runOptions())).stdout) as object;
    const changing = { time: "", storage: null };
    expect({ ...after, ...changing }).toEqual({ ...before, ...changing });
    const { stdout } = await muster(["task", taskId], runOptions());
    expect(stdout).toMatch(/state +queued/);
    second.child.kill("SIGINT");
    await second.finished;
  });

  test("refuses a second mesh in the same folder, and the first one keeps running", async () => {
    const mesh = await startMeshCommand();
    const second = await muster(["start", "--port", "0"], runOptions());
    expect(second.stderr).toMatch(
      /^muster: another mesh \(process \d+\) uses the folder [^\n]+; stop that mesh .*\n$/,
    );
    expect(second.code).toBe(1);
    expect((await muster(["mesh"], runOptions())).code).toBe(0);
    mesh.child.kill("SIGINT");
    expect((await mesh.finished).code).toBe(0);
  });

  test("SV6 ends all its processes when it is killed, and can start again", async () => {
    const killed = await startMeshCommand();
    killed.child.kill("SIGKILL");
    await killed.finished;
    await mark.expectNoneLeft();
    const again = await startMeshCommand();
    again.child.kill("SIGINT");
    expect((await again.finished).code).toBe(0);
  });

  test("reports a port that is in use", async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => void holder.listen(0, "127.0.0.1", resolve));
    const { port } = holder.address() as AddressInfo;
    const { code, stderr } = await muster(["start", "--port", String(port)], runOptions());
    holder.close();
    expect(stderr).toBe(
      `muster: port ${port} of 127.0.0.1 is in use (EADDRINUSE); end the program that uses it, or choose another port: --port\n`,
    );
    expect(code).toBe(1);
    await mark.expectNoneLeft();
  });
});

describe("bin/muster.js", () => {
  const shim = join(PROJECT, "bin/muster.js");

  /** Starts the launcher on a Node that reports the given version. */
  function launch(version: string, args: readonly string[]) {
    const reportVersion = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`;
    return spawn(
      process.execPath,
      ["--import", `data:text/javascript,${encodeURIComponent(reportVersion)}`, shim, ...args],
      {
        cwd: dir,
        env: { ...process.env, ...mark.env, XDG_CONFIG_HOME: dir },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
  }

  async function run(version: string, args: readonly string[]) {
    const child = launch(version, args);
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close") as Promise<[number | null]>,
    ]);
    return { code, stdout, stderr };
  }

  test.each(["18.19.0", "20.0.0", "22.17.1", "22.18.0", "24.0.0"])(
    "runs the CLI when the user has Node %s, and returns its exit code",
    async (version) => {
      const good = await run(version, ["help"]);
      expect(good).toMatchObject({ code: 0, stdout: expect.stringContaining("usage: npx muster") });
      const bad = await run(version, ["frobnicate"]);
      expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining("frobnicate") });
    },
  );

  test.each(["20.0.0", "24.0.0"])("forwards signals, with Node %s", async (version) => {
    const child = launch(version, ["join", "http://127.0.0.1:1", "--retry"]);
    child.stdout.setEncoding("utf8");
    for await (const said of child.stdout) if (String(said).includes("trying again in")) break;
    child.kill("SIGTERM");
    const [code] = (await once(child, "close")) as [number | null];
    expect(code).toBe(0);
    await mark.expectNoneLeft();
  });
});
