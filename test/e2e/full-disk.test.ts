import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectPeer, controller } from "../../src/client/index.ts";
import { eventually, ProcessMarker, PROJECT } from "./processes.ts";

/** How this user may mount a file system in a namespace of its own; null if it may not. */
const UNSHARE =
  [["--mount"], ["--user", "--map-root-user", "--mount"]].find(
    (flags) =>
      process.platform === "linux" &&
      spawnSync("unshare", [...flags, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0,
  ) ?? null;

let dir: string;
let mark: ProcessMarker;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-full-"));
  mark = new ProcessMarker();
});
afterAll(async () => {
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

/** Runs `muster serve` on a small disk of its own. */
async function serveOnSmallDisk(flags: readonly string[]) {
  const disk = join(dir, "disk");
  await mkdir(disk);
  const main = join(PROJECT, "src/cli/main.ts");
  const script = `mount -t tmpfs -o size=40m tmpfs '${disk}' && exec '${process.execPath}' '${main}' serve --port 0 --log json --auth-mode open --dir '${disk}/mesh'`;
  const child = spawn("unshare", [...flags, "sh", "-c", script], {
    env: { ...process.env, ...mark.env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  const lines = (): { level: string; message: string; url?: string; mesh_key?: string }[] =>
    stdout
      .split("\n")
      .filter((line) => line.endsWith("}"))
      .map((line) => JSON.parse(line) as never);
  await eventually(
    () => lines().some(({ message }) => message === "the mesh runs"),
    () => `the mesh runs, not: ${stdout}`,
  );
  const { url = "", mesh_key: meshKey = "" } = lines()[0] ?? {};
  // `unshare` becomes the command. Its disk is seen only in its own namespace.
  const inside = `/proc/${child.pid}/root${disk}`;
  const secrets = await readFile(join(inside, "mesh/secrets.env"), "utf8");
  const [, token = ""] = /^ADMIN_TOKEN=(.*)$/m.exec(secrets) ?? [];
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { child, ended, lines, url, meshKey, token, filler: join(inside, "filler") };
}

/** Writes until nothing fits any more. */
function fill(file: string): void {
  const fd = openSync(file, "a");
  const block = Buffer.alloc(4_096, 1);
  try {
    for (;;) writeSync(fd, block);
  } catch (error) {
    expect(error).toMatchObject({ code: "ENOSPC" });
  } finally {
    closeSync(fd);
  }
}

test.skipIf(UNSHARE === null)(
  "SV22 on a full disk what does not fit is refused and reads go on; with room again, the task that ran meanwhile is finished and nothing that was acknowledged is lost (needs the right to mount)",
  { timeout: 300_000 },
  async () => {
    const mesh = await serveOnSmallDisk(UNSHARE ?? []);
    const { url, meshKey, token, filler } = mesh;
    const call = async (method: string, path: string, json?: object) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(json !== undefined && { body: JSON.stringify(json) }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const client = controller({ url, token });
    const release = Promise.withResolvers<void>();
    let begun = 0;
    const peer = connectPeer({
      url,
      meshKey,
      handlers: {
        slow: async () => {
          begun++;
          await release.promise;
          return "done";
        },
        large: async () => {
          begun++;
          await release.promise;
          return "x".repeat(400_000);
        },
      },
      slots: 4,
    });
    await peer.ready;
    const tasks = [await client.tasks.submit("slow", 1), await client.tasks.submit("large", 1)];
    const acknowledged = [await client.tasks.submit("nobody", 1)];
    await eventually(
      async () => begun === 2 && (await client.tasks.get(tasks[1]?.id ?? "")).state === "running",
      () => `2 begun tasks, not ${begun}`,
    );

    const reads = async () => {
      for (const { id } of [...tasks, ...acknowledged])
        expect(await call("GET", `/v1/tasks/${id}`)).toMatchObject({ status: 200, body: { id } });
      for (const path of ["/v1/auth-mode", "/v1/tasks", "/v1/peers", "/v1/mesh/storage"])
        expect([path, (await call("GET", path)).status]).toEqual([path, 200]);
    };
    for (let round = 0; round < 12; round++) {
      // SQLite frees what a failed commit wrote: others take that, too.
      fill(filler);
      const refused = await call("POST", "/v1/tasks", { kind: "nobody", payload: "x".repeat(9e4) });
      expect(refused).toMatchObject({ status: 507, body: { code: "storage_full" } });
      expect(await call("GET", "/readyz")).toMatchObject({
        status: 503,
        body: { detail: expect.stringMatching(/^the disk of the mesh is full: 0 MB are free/) },
      });
      await reads();
      if (round === 3) release.resolve();
    }
    const unfinished = await call("GET", `/v1/tasks/${tasks[0]?.id ?? ""}`);
    expect(unfinished.body["state"]).not.toBe("succeeded");

    rmSync(filler);
    expect(await client.tasks.wait(tasks[0]?.id ?? "")).toMatchObject({ result: "done" });
    expect(await client.tasks.wait(tasks[1]?.id ?? "")).toMatchObject({ state: "succeeded" });
    expect(begun).toBe(2);
    expect(await call("GET", "/readyz")).toMatchObject({ status: 200 });
    acknowledged.push(await client.tasks.submit("nobody", 2));
    const listed = await client.tasks.list().toArray();
    expect(listed.map(({ id }) => id).toSorted()).toEqual(
      [...tasks, ...acknowledged].map(({ id }) => id).toSorted(),
    );
    await peer.close();
    mesh.child.kill("SIGTERM");
    expect(await mesh.ended).toBe(0);
    // SV24: one line for each change, and no stack for each request.
    const lines = mesh.lines().filter(({ message }) => /disk|SQLITE|output lock/.test(message));
    expect(lines.map(({ message }) => message.replace(/mesh .*/, ""))).toEqual([
      expect.stringMatching(/^the disk of /),
      expect.stringMatching(/^the disk of /),
    ]);
    expect(lines[1]?.message).toContain("has room again");
    await mark.expectNoneLeft();
  },
);
