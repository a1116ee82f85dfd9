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
let mesh: MeshProcess;
let peer: ChildProcess;

beforeAll(async () => {
  if (obstacle === null) mesh = await startMesh({ dir: join(dir, ".muster"), port: 0 });
});

afterAll(async () => {
  peer?.kill("SIGKILL");
  await mesh?.stop();
  await rm(dir, { recursive: true, force: true });
});

it.skipIf(obstacle !== null)(
  `a Go program on the Borg module joins, answers get_stats as a task, and leaves${obstacle === null ? "" : ` (skipped: ${obstacle})`}`,
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
