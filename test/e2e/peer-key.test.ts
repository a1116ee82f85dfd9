import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { controller } from "../../src/client/index.ts";
import { testMesh, type TestMesh } from "./mesh.ts";
import { muster, start, type MusterProcess } from "./processes.ts";

let started: TestMesh;
let dir: string;
beforeAll(async () => {
  started = await testMesh();
  const { url, adminToken: token } = started.mesh;
  await controller({ url, token }).settings.setAuthMode("allowlist");
  dir = await mkdtemp(join(tmpdir(), "muster-worker-"));
});
afterAll(async () => {
  await (started as TestMesh | undefined)?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function link(uses: number): Promise<string> {
  const { url, adminToken: token } = started.mesh;
  return (await controller({ url, token }).joinKeys.create({ uses })).link;
}

/** Joins by a link, or by the URL, from the worker's folder. */
async function join_(env: Record<string, string>, ...args: string[]): Promise<MusterProcess> {
  const peer = start(["join", ...args], { cwd: dir, env });
  await peer.waitForOutput(/joined/);
  return peer;
}

const idOf = ({ stdout }: MusterProcess): string =>
  /^joined .* as worker ([0-9a-f]{32})/m.exec(stdout)?.[1] ?? "";

async function stop(...peers: MusterProcess[]): Promise<void> {
  for (const peer of peers) {
    peer.child.kill("SIGTERM");
    expect((await peer.finished).code).toBe(0);
  }
}

describe("CL60 a peer that joins by a join key", () => {
  test("keeps its key in the state folder, says so, and is the same peer the next time", async () => {
    const MUSTER_LINK = await link(1);
    const first = await join_({ MUSTER_LINK });
    const [, path = ""] = /the key of this peer is kept in (\S+\.json);/.exec(first.stderr) ?? [];
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, ".muster/peers"))).mode & 0o777).toBe(0o700);
    await stop(first);
    // The join key is used up: only the peer that used it is admitted.
    const again = await join_({ MUSTER_LINK });
    const byUrl = idOf(again);
    await stop(again);
    const without = await join_({}, started.mesh.url);
    const withFile = idOf(without);
    await stop(without);
    const named = await join_({}, started.mesh.url, "--key-file", path);
    expect([byUrl, withFile, idOf(named)]).toEqual(Array(3).fill(idOf(first)));
    await stop(named);
  });

  test("is another peer than one that runs beside it, and each is the same the next time", async () => {
    const MUSTER_LINK = await link(2);
    const beside = async () => {
      const peers = [await join_({ MUSTER_LINK }), await join_({ MUSTER_LINK })];
      const ids = peers.map(idOf);
      await stop(...peers);
      return ids;
    };
    const ids = await beside();
    expect(new Set(ids).size).toBe(2);
    expect(await beside()).toEqual(ids);
    const kept = await readdir(join(dir, ".muster/peers"));
    expect(kept.filter((name) => name.endsWith(".json"))).toHaveLength(2);
    expect(kept.filter((name) => name.endsWith(".lock"))).toEqual([]);
  });

  test("is refused before a key is made if the key of the mesh is not known", async () => {
    const other = join(dir, "unknown");
    await mkdir(other);
    const refused = await muster(["join", started.mesh.url], {
      cwd: other,
      env: { MUSTER_JOIN_KEY: "abc", XDG_CONFIG_HOME: other, HOME: other },
    });
    expect(refused).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^muster: a join key is sent only to .*; pass --mesh-key, or /),
    });
    expect(await readdir(other)).toEqual([]);
  });

  test("says nothing of its key if the mesh refuses the join key", async () => {
    const { url, meshKey } = started.mesh;
    const other = join(dir, "refused");
    await mkdir(other);
    const refused = start(["join", url, "--mesh-key", meshKey, "--exec", "cat"], {
      cwd: other,
      env: { MUSTER_JOIN_KEY: "abc" },
    });
    const { code } = await refused.finished;
    expect(refused.stderr).toContain("join_key_invalid");
    expect(code).toBe(4);
    expect(refused.stderr).not.toContain("is kept");
  });

  test("joins without a folder to write to, and says that its key is lost", async () => {
    const MUSTER_LINK = await link(1);
    const cwd = join(dir, "no-folder");
    await mkdir(join(cwd, ".muster"), { recursive: true });
    await writeFile(join(cwd, ".muster/peers"), "a file");
    const peer = start(["join"], { cwd, env: { MUSTER_LINK } });
    await peer.waitForOutput(/joined/);
    expect(peer.stderr).toContain("so the key of this peer is not kept");
    await stop(peer);
  });

  test("CL58 a key that the mesh does not admit is told as that, and not as a mesh that is not there", async () => {
    const cwd = join(dir, "stranger");
    await mkdir(cwd);
    const { code, stderr } = await muster(["join", started.mesh.url], { cwd });
    expect(code).not.toBe(3);
    expect(stderr).toContain("not_allowed: the mesh does not admit this peer");
  });
});
