import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { controller } from "../../src/client/index.ts";
import { startMesh } from "../../server/mesh-process.ts";
import type { MeshProcess } from "../../src/cli/server-module.ts";
import { buildGo, fetchGoModules } from "./go-module.ts";

const dir = await mkdtemp(join(tmpdir(), "muster-interop-"));
const binary = join(dir, "go-peer");

const goSkipReason = await fetchGoModules();
if (goSkipReason === null) await buildGo(".", binary);
const skippedBecause = goSkipReason === null ? "" : ` (skipped: ${goSkipReason})`;
let mesh: MeshProcess;
let peer: ChildProcess;

beforeAll(async () => {
  if (goSkipReason === null) {
    const variables = { ALLOW_LOOPBACK: "true" };
    mesh = await startMesh({ dir: join(dir, ".muster"), port: 0, variables });
  }
});

afterAll(async () => {
  peer?.kill("SIGKILL");
  await mesh?.stop();
  await rm(dir, { recursive: true, force: true });
});

it.skipIf(goSkipReason !== null)(
  `a Go program with the Borg module joins, answers get_stats as a task, and leaves${skippedBecause}`,
  async () => {
    const { url, adminToken } = mesh;
    const operator = controller({ url, token: adminToken });
    peer = spawn(binary, [`${url.replace("http", "ws")}/ws`], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let output = "";
    peer.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
    const states = async () => {
      const found = [];
      for await (const { id, state, protocol, name } of operator.peers.list())
        found.push({ id, state, protocol, name });
      return found;
    };
    await expect
      .poll(states, { timeout: 60_000 })
      .toEqual([
        { id: expect.any(String), state: "active", protocol: "go-p2p/1.0", name: "go peer" },
      ]);
    const [joined] = await states();
    expect(output).toContain(`id ${joined?.id}`);

    const stats = await operator.run("go-p2p/get_stats", null, { timeoutMs: 60_000 });
    expect(stats).toEqual({ nodeId: joined?.id, nodeName: "go peer", miners: [], uptime: 7 });

    const other = await operator.tasks.submit("sha256", {});
    expect((await operator.tasks.get(other.id)).state).toBe("queued"); // a go-p2p node does not handle this kind
    await operator.tasks.cancel(other.id);

    peer.stdin?.end();
    await expect.poll(async () => (await states())[0]?.state, { timeout: 60_000 }).toBe("stale");
  },
  180_000,
);

/** Starts the Go program as a listening node; returns its output, address and keys. */
async function listen(address: string, ...key: string[]) {
  peer = spawn(binary, ["listen", address, ...key], { stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  peer.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  await expect.poll(() => output, { timeout: 60_000 }).toContain("listening");
  const [, privateKey = "", publicKey = ""] = /^key (\S+) (\S+)$/m.exec(output) ?? [];
  const [, url = ""] = /^listening (\S+)$/m.exec(output) ?? [];
  return { url, privateKey, publicKey, output: () => output };
}

it.skipIf(goSkipReason !== null)(
  `DL5 a listening Go program is dialed, runs a task, and is dialed again when it returns${skippedBecause}`,
  async () => {
    const operator = controller({ url: mesh.url, token: mesh.adminToken });
    const first = await listen("127.0.0.1:0");
    const { peer_id: id } = await operator.dials.put(first.url, { publicKey: first.publicKey });
    const state = async () => (await operator.peers.get(String(id))).state;
    await expect.poll(state, { timeout: 60_000 }).toBe("active");
    expect(first.output()).toContain("acknowledging");
    const stats = await operator.run("go-p2p/get_stats", null, {
      peerId: String(id),
      timeoutMs: 60_000,
    });
    expect(stats).toMatchObject({ nodeId: id, uptime: 7 });

    peer.kill("SIGKILL");
    await expect.poll(state, { timeout: 60_000 }).toBe("stale");
    const address = new URL(first.url).host;
    await listen(address, first.privateKey);
    await expect.poll(state, { timeout: 90_000 }).toBe("active");

    peer.kill("SIGKILL");
    await expect.poll(state, { timeout: 60_000 }).toBe("stale");
    await listen(address); // another node at the same address
    const failed = async () => (await operator.dials.list().toArray())[0]?.last_error ?? "";
    await expect.poll(failed, { timeout: 90_000 }).toContain("identity_mismatch");
    expect(await state()).toBe("stale");
  },
  180_000,
);
