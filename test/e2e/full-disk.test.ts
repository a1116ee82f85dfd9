import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { importIntoMesh } from "../../src/cli/backup/import-mesh.ts";
import { backUpFolder } from "../../src/cli/backup/make-backup.ts";
import { stateFolder } from "../../src/cli/state-folder.ts";
import { connectPeer, controller } from "../../src/client/index.ts";
import { meshFolder, storeResult } from "../cli/backup/mesh-folder.ts";
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
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-full-"));
  mark = new ProcessMarker();
});
afterEach(async () => {
  for (const { pid } of await mark.markedProcesses()) process.kill(pid, "SIGKILL");
  await rm(dir, { recursive: true, force: true });
});

/** Runs `muster serve` on a small disk of its own. */
async function serveOnSmallDisk(name: string, secretsFile: string | null = null) {
  const flags = UNSHARE ?? [];
  const disk = join(dir, name);
  await mkdir(disk);
  const given = secretsFile === null ? "" : `--secrets '${secretsFile}'`;
  const main = join(PROJECT, "src/cli/main.ts");
  const script = `mount -t tmpfs -o size=40m tmpfs '${disk}' && exec '${process.execPath}' '${main}' serve --port 0 --log json --auth-mode open ${given} --dir '${disk}/mesh'`;
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
  const secrets = await readFile(secretsFile ?? join(inside, "mesh/secrets.env"), "utf8");
  const [, token = ""] = /^ADMIN_TOKEN=(.*)$/m.exec(secrets) ?? [];
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const call = async (method: string, path: string, json?: object) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>,
    };
  };
  return { child, ended, lines, url, meshKey, token, call, filler: join(inside, "filler") };
}

/** SV24: one line for each change, and no stack for each request. */
function expectTwoLines(lines: readonly { readonly message: string }[]): void {
  const about = lines.filter(({ message }) =>
    /disk|SQLITE|output lock|internal error/.test(message),
  );
  expect(about.map(({ message }) => message.replace(/mesh .*/, ""))).toEqual([
    expect.stringMatching(/^the disk of /),
    expect.stringMatching(/^the disk of /),
  ]);
  expect(about[1]?.message).toContain("has room again");
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
    const mesh = await serveOnSmallDisk("begun");
    const { url, meshKey, token, call, filler } = mesh;
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
    expectTwoLines(mesh.lines());
    await mark.expectNoneLeft();
  },
);

/** What a mesh that has just started writes for the first time: rows of its tables, alarms, keys and audit entries. */
const FIRST_WRITES: readonly (readonly [method: string, path: string, json: object])[] = [
  ["POST", "/v1/tasks", { kind: "nobody", payload: "x".repeat(200_000) }],
  ["POST", "/v1/tasks", { kind: "nobody", payload: 1, deadline_seconds: 60 }],
  ["POST", "/v1/task-batches", { tasks: [{ kind: "nobody", payload: "x".repeat(200_000) }] }],
  ["PUT", "/v1/auth-mode", { mode: "open" }],
  ["POST", "/v1/tokens", { scope: "admin", label: "first" }],
  ["POST", "/v1/join-keys", { label: "first" }],
];

test.skipIf(UNSHARE === null).each([
  ["at once", []],
  ["after reads", ["/v1/tasks", "/v1/peers", "/v1/auth-mode", "/v1/mesh/storage", "/readyz"]],
])(
  "SV45 a disk that is full before the first write of a start (%s) refuses each kind of write as one that is full later does; the mesh goes on by itself (needs the right to mount)",
  { timeout: 300_000 },
  async (when, readBefore) => {
    const mesh = await serveOnSmallDisk(when.replace(" ", "-"));
    const { url, meshKey, token, call, filler } = mesh;
    for (const path of readBefore) expect((await call("GET", path)).status).toBe(200);
    fill(filler);
    const peer = connectPeer({ url, meshKey, handlers: { echo: (payload) => payload } });
    for (const [method, path, json] of FIRST_WRITES) {
      fill(filler);
      const refused = await call(method, path, json);
      // What finds room in a page that is there already is stored, and stays.
      const expected = [507, 200, 201, 202];
      expect([path, expected.includes(refused.status), refused.status]).toEqual([
        path,
        true,
        refused.status,
      ]);
      if (refused.status === 507) expect(refused.body).toMatchObject({ code: "storage_full" });
      for (const read of ["/v1/tasks", "/v1/peers", "/v1/auth-mode", "/v1/mesh/storage"])
        expect([read, (await call("GET", read)).status]).toEqual([read, 200]);
    }
    // The answer is kept for a second.
    const ready = async () => (await call("GET", "/readyz")).status;
    await eventually(
      async () => (await ready()) === 503,
      () => "a mesh that is not ready",
    );
    const large = await call(...(FIRST_WRITES[0] as [string, string, object]));
    expect(large).toMatchObject({ status: 507, body: { code: "storage_full" } });

    rmSync(filler);
    await peer.ready;
    const client = controller({ url, token });
    const task = await client.tasks.submit("echo", "there");
    expect(await client.tasks.wait(task.id)).toMatchObject({ result: "there" });
    for (const [method, path, json] of FIRST_WRITES)
      expect([200, 201, 202]).toContain((await call(method, path, json)).status);
    await eventually(
      async () => (await ready()) === 200,
      () => "a mesh that is ready",
    );
    await peer.close();
    mesh.child.kill("SIGTERM");
    expect(await mesh.ended).toBe(0);
    expectTwoLines(mesh.lines());
    await mark.expectNoneLeft();
  },
);

/** After 10 s without work workerd closes an object that may be closed. */
const IDLE_MS = 15_000;

test.skipIf(UNSHARE === null).each([
  ["a peer is joined", true],
  ["nobody has used the mesh", false],
])(
  "SV56 reads go on when the disk becomes full while the mesh is idle and %s; the mesh goes on by itself (needs the right to mount)",
  { timeout: 300_000 },
  async (when, isJoined) => {
    const mesh = await serveOnSmallDisk(when.replaceAll(" ", "-"));
    const { url, meshKey, token, call, filler } = mesh;
    const client = controller({ url, token });
    // What is larger than a row goes to the store.
    const handlers = { there: () => "there", large: () => "x".repeat(400_000) };
    const peer = isJoined ? connectPeer({ url, meshKey, handlers }) : null;
    await peer?.ready;
    const before = isJoined ? [await client.tasks.submit("large", 1)] : [];
    for (const { id } of before) await client.tasks.wait(id);
    await sleep(IDLE_MS);
    const reads = [
      "/v1/tasks",
      "/v1/peers",
      "/v1/auth-mode",
      "/v1/mesh/storage",
      ...before.map(({ id }) => `/v1/tasks/${id}/result`),
    ];
    for (let round = 0; round < 3; round++) {
      fill(filler);
      for (const path of reads)
        expect([path, (await call("GET", path)).status]).toEqual([path, 200]);
      expect(await call("GET", "/readyz")).toMatchObject({
        status: 503,
        body: {
          code: "unavailable",
          detail: expect.stringMatching(/ is full: 0 MB .*reads go on/),
        },
      });
      // The store answers, too: no entry has this ID.
      expect(await call("GET", `/v1/blobs/${"0".repeat(32)}`)).toMatchObject({ status: 404 });
    }

    rmSync(filler);
    const again = peer ?? connectPeer({ url, meshKey, handlers });
    await again.ready;
    const task = await client.tasks.submit("there", 1);
    expect(await client.tasks.wait(task.id)).toMatchObject({ result: "there" });
    await eventually(
      async () => (await call("GET", "/readyz")).status === 200,
      () => "a mesh that is ready",
    );
    await again.close();
    mesh.child.kill("SIGTERM");
    expect(await mesh.ended).toBe(0);
    expectTwoLines(mesh.lines());
    await mark.expectNoneLeft();
  },
);

test.skipIf(UNSHARE === null)(
  "SV45 so does an import, whose results go to the store first; run again on a disk with room it is whole (needs the right to mount)",
  { timeout: 300_000 },
  async () => {
    const source = await meshFolder(join(dir, "source"));
    for (let n = 0; n < 30; n++) await storeResult(source, `${n} ${"x".repeat(20_000)}`);
    source.database.close();
    const file = join(dir, "mesh.backup");
    const made = await backUpFolder(source.dir, { out: file, sealTo: null, secrets: false });
    const mesh = await serveOnSmallDisk("import", stateFolder(source.dir).secrets);
    const client = controller({ url: mesh.url, token: mesh.token });
    fill(mesh.filler);
    const importing = () => importIntoMesh(client, { file, opener: null, onPart: () => {} });
    await expect(importing()).rejects.toMatchObject({ code: "storage_full", status: 507 });
    expect((await mesh.call("GET", "/v1/tasks")).status).toBe(200);
    rmSync(mesh.filler);
    expect((await importing()).summary.state_hash).toBe(made.summary.state_hash);
    expect((await client.tasks.list().toArray()).length).toBe(30);
    mesh.child.kill("SIGTERM");
    expect(await mesh.ended).toBe(0);
    await mark.expectNoneLeft();
  },
);

test.skipIf(UNSHARE === null)(
  "BK43 a restore onto a disk without room ends with one line and 1, wherever it runs out, and leaves nothing of the mesh (needs the right to mount)",
  { timeout: 300_000 },
  async () => {
    const source = await meshFolder(join(dir, "source"));
    for (let n = 0; n < 30; n++) await storeResult(source, `${n} ${"x".repeat(20_000)}`);
    source.database.close();
    const file = join(dir, "mesh.backup");
    await backUpFolder(source.dir, { out: file, sealTo: null, secrets: true });
    const disk = join(dir, "disk");
    await mkdir(disk);
    const main = join(PROJECT, "src/cli/main.ts");
    const restore = (kilobytes: number, json = "") => {
      const run = `'${process.execPath}' '${main}' restore '${file}' --dir '${disk}/mesh' --secrets-file '${stateFolder(source.dir).secrets}' ${json}`;
      const script = `mount -t tmpfs -o size=${kilobytes}k tmpfs '${disk}' && { ${run}; code=$?; ls -A '${disk}'; exit $code; }`;
      return spawnSync("unshare", [...(UNSHARE ?? []), "sh", "-c", script], { encoding: "utf8" });
    };
    for (const kilobytes of [4, 40, 200, 600, 1_000]) {
      const { status, stdout, stderr } = restore(kilobytes);
      expect([kilobytes, status, stdout, stderr]).toEqual([
        kilobytes,
        1,
        "",
        expect.stringMatching(/^muster: [^\n]*(?:disk is full|ENOSPC)[^\n]*\n$/),
      ]);
    }
    const { status, stdout, stderr } = restore(600, "--json");
    expect([status, stdout]).toEqual([1, ""]);
    expect(JSON.parse(stderr)).toMatchObject({ code: "failed", exit_code: 1 });
    const restored = restore(40_000);
    expect([restored.status, restored.stderr]).toEqual([
      0,
      expect.stringMatching(/^restored into /),
    ]);
    expect(restored.stdout).toMatch(/^mesh$/m);
  },
);
