import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { controller } from "../../src/client/index.ts";
import { startMesh, type MeshProcess } from "../../src/cli/mesh-process.ts";
import { buildGo, fetchGoModules } from "./go-module.ts";

const dir = await mkdtemp(join(tmpdir(), "muster-interop-"));
const binary = join(dir, "go-peer");

const obstacle = await fetchGoModules();
if (obstacle === null) await buildGo(".", binary);
const why = obstacle === null ? "" : ` (skipped: ${obstacle})`;
let mesh: MeshProcess;
let peer: ChildProcess;

beforeAll(async () => {
  if (obstacle === null) {
    const variables = { ALLOW_LOOPBACK: "true" };
    mesh = await startMesh({ dir: join(dir, ".muster"), port: 0, variables });
  }
});

afterAll(async () => {
  peer?.kill("SIGKILL");
  await mesh?.stop();
  await rm(dir, { recursive: true, force: true });
});

it.skipIf(obstacle !== null)(
  `a Go program on the Borg module joins, answers get_stats as a task, and leaves${why}`,
  async () => {
    const { url, adminToken } = mesh;
    const operator = controller({ url, token: adminToken });
    peer = spawn(binary, [`${url.replace("http", "ws")}/ws`], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let said = "";
    peer.stdout?.setEncoding("utf8").on("data", (text: string) => (said += text));
    const states = async () => {
      const found = [];
      for await (const { id, state, protocol, name } of operator.peers())
        found.push({ id, state, protocol, name });
      return found;
    };
    await expect
      .poll(states, { timeout: 20_000 })
      .toEqual([
        { id: expect.any(String), state: "active", protocol: "go-p2p/1.0", name: "go peer" },
      ]);
    const [joined] = await states();
    expect(said).toContain(`id ${joined?.id}`);

    const stats = await operator.run("go-p2p/get_stats", null, { timeoutMs: 20_000 });
    expect(stats).toEqual({ nodeId: joined?.id, nodeName: "go peer", miners: [], uptime: 7 });

    const other = await operator.assign("sha256", {});
    expect((await operator.task(other.id)).state).toBe("queued"); // nothing that such a node could do
    await operator.cancel(other.id);

    peer.stdin?.end();
    await expect.poll(async () => (await states())[0]?.state, { timeout: 20_000 }).toBe("stale");
  },
  60_000,
);

/** The Go program, listening; what it says, and where it can be reached. */
async function listen(address: string, ...key: string[]) {
  peer = spawn(binary, ["listen", address, ...key], { stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  peer.stdout?.setEncoding("utf8").on("data", (text: string) => (said += text));
  await expect.poll(() => said, { timeout: 20_000 }).toContain("listening");
  const [, privateKey = "", publicKey = ""] = /^key (\S+) (\S+)$/m.exec(said) ?? [];
  const [, url = ""] = /^listening (\S+)$/m.exec(said) ?? [];
  return { url, privateKey, publicKey, said: () => said };
}

it.skipIf(obstacle !== null)(
  `DL5 a Go program that listens is dialled, does a task, and is dialled back when it returns${why}`,
  async () => {
    const operator = controller({ url: mesh.url, token: mesh.adminToken });
    const first = await listen("127.0.0.1:0");
    const { peer_id: id } = await operator.dial(first.url, { publicKey: first.publicKey });
    const state = async () => (await operator.peer(String(id))).state;
    await expect.poll(state, { timeout: 20_000 }).toBe("active");
    expect(first.said()).toContain("acknowledging");
    const stats = await operator.run("go-p2p/get_stats", null, {
      peerId: String(id),
      timeoutMs: 20_000,
    });
    expect(stats).toMatchObject({ nodeId: id, uptime: 7 });

    peer.kill("SIGKILL");
    await expect.poll(state, { timeout: 20_000 }).toBe("stale");
    const address = new URL(first.url).host;
    await listen(address, first.privateKey);
    await expect.poll(state, { timeout: 40_000 }).toBe("active");

    peer.kill("SIGKILL");
    await expect.poll(state, { timeout: 20_000 }).toBe("stale");
    await listen(address); // somebody else, at the same address
    const failed = async () => (await operator.dials())[0]?.last_error ?? "";
    await expect.poll(failed, { timeout: 60_000 }).toContain("identity_mismatch");
    expect(await state()).toBe("stale");
  },
  180_000,
);
