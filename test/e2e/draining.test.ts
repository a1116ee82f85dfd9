import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../src/cli/ports.ts";
import { controller } from "../../src/client/index.ts";
import { testMesh, type TestMesh } from "./mesh.ts";
import { muster, start, type ExitResult, type MusterProcess } from "./processes.ts";

let started: TestMesh;
beforeAll(async () => {
  started = await testMesh();
});
// Undefined when the start failed.
afterAll(() => (started as TestMesh | undefined)?.stop());

const here = (...args: string[]): Promise<ExitResult> => muster(args, { cwd: started.dir });

async function joined(...args: string[]): Promise<MusterProcess> {
  const peer = start(["join", ...args], { cwd: started.dir });
  await peer.waitForOutput(/joined/);
  return peer;
}

const api = () => controller({ url: started.mesh.url, token: started.mesh.adminToken });

/** The states of attempts that were not begun. */
const UNBEGUN = ["reclaimed", "refused"];

describe("a rolling restart of all peers under load", () => {
  test("DR5 by SIGTERM fails no task, and runs none of them twice", async () => {
    const names = ["a", "b", "c", "d"];
    const begun = join(started.dir, "begun");
    await writeFile(begun, "");
    const program = `p=$(cat); echo "$p" >> '${begun}'; sleep 0.2; echo "$p"`;
    const join4 = (name: string) =>
      joined("--key-file", `${name}.json`, "--kind", "roll", "--slots", "2", "--exec", program);
    for (const name of names) await here("keygen", "--out", `${name}.json`);
    const peers = await Promise.all(names.map(join4));

    const tasks: string[] = [];
    const over = new AbortController();
    const { tasks: client } = api();
    const load = (async () => {
      while (!over.signal.aborted) {
        const each = Array.from({ length: 8 }, (_, n) => client.submit("roll", tasks.length + n));
        for (const { id } of await Promise.all(each)) tasks.push(id);
        await sleep(150);
      }
    })();
    for (const [n, name] of names.entries()) {
      peers[n]?.child.kill("SIGTERM");
      expect(await peers[n]?.finished).toMatchObject({ code: 0 });
      peers[n] = await join4(name);
    }
    over.abort();
    await load;

    for (const id of tasks) {
      const { state, attempts } = await client.wait(id);
      expect(state).toBe("succeeded");
      // A peer may refuse an offer because its program still ends: no attempt has begun then.
      const begunOnes = attempts.filter((attempt) => !UNBEGUN.includes(attempt.state));
      expect(begunOnes.map((attempt) => attempt.state)).toEqual(["succeeded"]);
    }
    const runs = (await readFile(begun, "utf8")).trim().split("\n").map(Number);
    expect(runs.toSorted((x, y) => x - y)).toEqual(tasks.map((_, n) => n));
    for (const peer of peers) peer.child.kill("SIGTERM");
    await Promise.all(peers.map(({ finished }) => finished));
  });

  test("DR5 a second signal ends a drain at once, and the task is abandoned, not lost", async () => {
    const peer = await joined("--kind", "endless", "--exec", "sleep 600");
    const id = (await here("assign", "endless")).stdout.trim();
    await peer.waitForOutput(/started/);
    peer.child.kill("SIGTERM");
    await peer.waitForOutput(/draining for at most 60 s/);
    await sleep(1_100); // a signal that comes sooner is taken for the same one
    peer.child.kill("SIGTERM");
    expect((await peer.finished).code).toBe(143);
    const { state, attempts } = await api().tasks.get(id);
    expect([state, attempts.map((attempt) => attempt.state)]).toEqual(["queued", ["abandoned"]]);
  });

  test("DR2 `muster peers drain` ends a peer in good order, and it stays cordoned", async () => {
    await here("keygen", "--out", "drained.json");
    const peer = await joined("--key-file", "drained.json", "--name", "old", "--exec", "cat");
    const planned = await here("peers", "drain", "--name", "old", "--dry-run");
    expect(planned.stdout).toMatch(/old +active +open/);
    expect((await here("peers", "drain", "--name", "old")).code).toBe(0);
    expect((await peer.finished).code).toBe(0);
    const again = await joined("--key-file", "drained.json", "--name", "old", "--exec", "cat");
    expect((await here("peers", "uncordon", "--name", "old")).stdout).toMatch(/old +active +open/);
    again.child.kill("SIGTERM");
    await again.finished;
  });
});

describe("two processes with one key file", () => {
  test("HS24 the one that comes later is told and waits, and the other one goes on", async () => {
    await here("keygen", "--out", "shared.json");
    const args = ["--key-file", "shared.json", "--kind", "shared", "--exec", "cat"];
    const first = await joined(...args);
    const second = await joined(...args);
    // The first one is told that it was superseded, tries again, and is refused.
    await first.waitForOutput(/another process uses this key[^]*another process uses this key/);
    expect((await here("assign", "shared", "1", "--wait")).stdout).toBe("1\n");
    expect(second.stdout.match(/joined/g)).toHaveLength(1);
    expect(first.stdout.match(/joined/g)).toHaveLength(1);
    // Once the other one has left, the one that waits may have the key.
    second.child.kill("SIGTERM");
    await second.finished;
    await first.waitForOutput(/joined[^]*joined/);
    first.child.kill("SIGTERM");
    await first.finished;
  });
});

describe("a mesh that is stopped and started again", () => {
  test("DR7 its peers finish what they run meanwhile, once", async () => {
    const dir = await mkdtemp(join(tmpdir(), "muster-e2e-"));
    const port = String(await freePort("127.0.0.1"));
    const startMesh = async (): Promise<MusterProcess> => {
      const mesh = start(["start", "--port", port], { cwd: dir });
      await mesh.waitForOutput(/Muster is running/);
      return mesh;
    };
    const runs = join(dir, "runs");
    const done = join(dir, "done");
    await appendFile(runs, "");
    const before = await startMesh();
    const program = `echo x >> '${runs}'; until [ -e '${done}' ]; do sleep 0.05; done; echo 1`;
    const peer = start(["join", "--exec", program], { cwd: dir });
    await peer.waitForOutput(/joined/);
    const id = (await muster(["assign", "long", "--lease", "5"], { cwd: dir })).stdout.trim();
    await peer.waitForOutput(/started/);
    before.child.kill("SIGTERM");
    await before.finished;
    await peer.waitForOutput(/the mesh restarts \(4503/);
    await writeFile(done, "");
    const after = await startMesh();
    await peer.waitForOutput(/joined[^]*succeeded/);
    const { stdout } = await muster(["task", id, "--json"], { cwd: dir });
    const task = JSON.parse(stdout) as { state: string; attempts: unknown[] };
    expect([task.state, task.attempts.length]).toEqual(["succeeded", 1]);
    expect(await readFile(runs, "utf8")).toBe("x\n");
    peer.child.kill("SIGTERM");
    await peer.finished;
    after.child.kill("SIGTERM");
    await after.finished;
    await rm(dir, { recursive: true, force: true });
  });
});
