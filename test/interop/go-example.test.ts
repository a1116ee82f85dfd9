import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { controller, generateIdentity, type MeshClient } from "../../src/client/index.ts";
import { eventually, start, startedLine, type MusterProcess } from "../e2e/processes.ts";
import { go, GoExample, missingForGoExample, unformatted } from "./go-example.ts";

const dir = await mkdtemp(join(tmpdir(), "muster-go-example-"));
const binary = join(dir, "go-peer");
const missing = await missingForGoExample();
if (missing === null) await go("build", "-o", binary, ".");
const skipped = missing === null ? "" : ` (skipped: ${missing})`;

let serving: MusterProcess;
let url = "";
let operator: MeshClient;
const peers: GoExample[] = [];

async function serve(port: number): Promise<void> {
  serving = start(["serve", "--port", String(port), "--log", "json"], { cwd: dir });
  await serving.waitForOutput(/the mesh runs/);
  ({ url = "" } = startedLine(serving));
}

beforeAll(async () => {
  if (missing !== null) return;
  await serve(0);
  const secrets = await readFile(join(dir, ".muster/secrets.env"), "utf8");
  const token = /^ADMIN_TOKEN="?([^"\n]+)/m.exec(secrets)?.[1] ?? "";
  operator = controller({ url, token });
});
afterAll(async () => {
  for (const peer of peers) peer.signal("SIGKILL");
  if (missing === null) {
    serving.child.kill("SIGTERM");
    await serving.finished;
  }
  await rm(dir, { recursive: true, force: true });
});

function startPeer(name: string, env: Readonly<Record<string, string>>): GoExample {
  const keyFile = join(dir, `${name}.key`);
  const peer = new GoExample(binary, { MUSTER_KEY_FILE: keyFile, MUSTER_NAME: name, ...env });
  peers.push(peer);
  return peer;
}

/** Starts a peer that joins by a link of its own, and waits until it is connected. */
async function joined(name: string, env: Readonly<Record<string, string>> = {}) {
  const { link } = await operator.joinKeys.create();
  const peer = startPeer(name, { MUSTER_URL: link, ...env });
  await peer.says("connected");
  return { peer, id: await idOf(name) };
}

async function idOf(name: string): Promise<string> {
  const all = await operator.peers.list().toArray();
  return all.find((peer) => peer.name === name)?.id ?? "";
}

const schedulingOf = async (id: string) => (await operator.peers.get(id)).scheduling;

async function hasBegun(task: string): Promise<void> {
  await eventually(
    async () => (await operator.tasks.get(task)).progress !== null,
    () => `progress of task ${task}`,
  );
}

describe.skipIf(missing !== null)(`the peer in Go of examples/go-peer${skipped}`, () => {
  test("PR8 is formatted, has nothing that go vet finds, and passes its own tests, with the vectors", async () => {
    expect(await unformatted()).toBe("");
    await go("vet", "./...");
    expect(await go("test", "-count=1", "./...")).toMatch(/^ok\s.*\/muster\s/m);
  });

  test("PR8 joins by a link, and returns results of every size, also sealed ones", async () => {
    const { id: peerId } = await joined("worker", { MUSTER_SLOTS: "4" });
    const to = { peerId, timeoutMs: 120_000 };
    const value = { text: "<é> 🔐", list: [1, null, { deep: [[]] }], wide: "x".repeat(200_000) };
    expect(await operator.run("echo", value, to)).toEqual(value);
    const key = generateIdentity();
    expect(await operator.run("echo", value, { ...to, privateKey: key.privateKey })).toEqual(value);
    const large = await operator.run<string>("big", { bytes: 25_000_000 }, to);
    expect(large).toBe("x".repeat(25_000_000));
    const sealed = { ...to, privateKey: key.privateKey };
    expect(await operator.run<string>("big", { bytes: 1_000_000 }, sealed)).toHaveLength(1_000_000);
    const many = Array.from({ length: 200 }, (_, n) => operator.run("echo", n, to));
    expect(await Promise.all(many)).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });

  test("PR8 fails as its handlers say, and what is too large at once", async () => {
    const { id: peerId } = await joined("failing");
    const failed = async (kind: string, payload: unknown, maxAttempts: number) => {
      const task = await operator.tasks.submit(kind, payload, { peerId, maxAttempts });
      const { state, error, attempts } = await operator.tasks.wait(task.id);
      return { state, error, attempts: attempts.length };
    };
    expect(await failed("fail", "no luck", 1)).toEqual({
      state: "failed",
      error: "no luck",
      attempts: 1,
    });
    expect(await failed("big", { bytes: 26_214_400 }, 5)).toMatchObject({
      state: "failed",
      error: expect.stringContaining("at most 26214400"),
      attempts: 1,
    });
  });

  test("PR8 stops a canceled task, and its slot is free", async () => {
    const { id: peerId } = await joined("canceled");
    const slow = await operator.tasks.submit("slow", { seconds: 600 }, { peerId });
    await hasBegun(slow.id);
    await operator.tasks.cancel(slow.id);
    expect(await operator.run("echo", 1, { peerId, timeoutMs: 60_000 })).toBe(1);
  });

  test("PR8 goes on with its work while the mesh is killed, and hands the result to the next one", async () => {
    const { peer, id: peerId } = await joined("steady", { MUSTER_SLOTS: "2" });
    // The short one ends while the mesh is away.
    const short = await operator.tasks.submit("slow", { seconds: 4 }, { peerId });
    const long = await operator.tasks.submit("slow", { seconds: 30 }, { peerId });
    await Promise.all([hasBegun(short.id), hasBegun(long.id)]);
    serving.child.kill("SIGKILL");
    await serving.finished;
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await serve(Number(new URL(url).port));
    await peer.says("connected", 2);
    for (const { id } of [short, long])
      expect(await operator.tasks.wait(id, { timeoutMs: 120_000 })).toMatchObject({
        state: "succeeded",
        attempts: [{ attempt: 1, state: "succeeded" }],
      });
  });

  test("PR8 finishes what it runs at SIGTERM, takes nothing new, and leaves", async () => {
    const { peer, id: peerId } = await joined("leaving");
    const slow = await operator.tasks.submit("slow", { seconds: 5 }, { peerId });
    await hasBegun(slow.id);
    peer.signal("SIGTERM");
    await eventually(
      async () => (await schedulingOf(peerId)) === "draining",
      () => "the peer drains",
    );
    const next = await operator.tasks.submit("echo", 1, { peerId });
    expect(await peer.exit).toBe(0);
    const { state, attempts } = await operator.tasks.get(slow.id);
    expect({ state, attempts: attempts.length }).toEqual({ state: "succeeded", attempts: 1 });
    expect((await operator.tasks.get(next.id)).attempts).toEqual([]);
    await operator.tasks.cancel(next.id);
  });

  test("PR8 leaves when the operator drains it", async () => {
    const { peer, id } = await joined("drained");
    await operator.peers.drain(id);
    expect(await peer.exit).toBe(0);
  });

  test("PR8 gives back at the end of its time what still runs", async () => {
    const { peer, id: peerId } = await joined("hurried", { MUSTER_DRAIN_SECONDS: "1" });
    const slow = await operator.tasks.submit("slow", { seconds: 600 }, { peerId });
    await hasBegun(slow.id);
    peer.signal("SIGTERM");
    expect(await peer.exit).toBe(0);
    await eventually(
      async () => (await operator.tasks.get(slow.id)).state === "queued",
      () => "the task is queued again",
    );
    await operator.tasks.cancel(slow.id);
  });

  test("PR9 ends with exit code 1 when the mesh does not want it, or is another one than the pinned one", async () => {
    const stranger = startPeer("stranger", { MUSTER_URL: url });
    expect(await stranger.exit).toBe(1);
    expect(stranger.output).toContain("not_allowed");
    const { publicKey } = generateIdentity();
    const other = Buffer.from(publicKey).toString("hex");
    const deceived = startPeer("deceived", { MUSTER_URL: url, MUSTER_MESH_KEY: other });
    expect(await deceived.exit).toBe(1);
    expect(deceived.output).toContain("does not have the pinned key");
    const { peer, id } = await joined("revoked");
    await operator.peers.revoke(id);
    expect(await peer.exit).toBe(1);
    expect(peer.output).toContain("revoked");
  });

  test("PR9 writes no secret to its log", async () => {
    const files = ["worker", "steady"].map((name) => readFile(join(dir, `${name}.key`), "utf8"));
    const secrets = (await Promise.all(files)).map((text) => text.trim());
    expect(secrets.every((secret) => /^[0-9a-f]{64}$/.test(secret))).toBe(true);
    const logs = peers.map(({ output }) => output).join("");
    for (const secret of [...secrets, "proof=", "mjk_"]) expect(logs).not.toContain(secret);
  });
});
