import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isMessage, STRANGERS, withoutUrl, type Stranger } from "../client/servers/strangers.ts";
import { testMesh, type TestMesh } from "./mesh.ts";
import { eventually, muster, start, type ExitResult } from "./processes.ts";

const names = Object.keys(STRANGERS);
const servers = new Map<string, Stranger>();
const ended = new Map<string, ExitResult>();
let dir: string;

// All at once, four at a time: each takes up to ten seconds.
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "muster-unreachable-"));
  const waiting = [...names];
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const server = await STRANGERS[name]?.start();
      if (server === undefined) continue;
      servers.set(name, server);
      ended.set(name, await muster(["join", server.url], { cwd: dir }));
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
});
afterAll(async () => {
  for (const server of servers.values()) server.stop();
  await rm(dir, { recursive: true, force: true });
});

describe("CL58 muster join ends with exit code 3 and the reason in one line", () => {
  test.each(names)("at %s", (name) => {
    const { code, stderr } = ended.get(name) ?? { code: null, stderr: "" };
    const { message = "" } = (STRANGERS[name]?.failure ?? {}) as { message?: string | RegExp };
    const [line = "", ...more] = withoutUrl(stderr.trim(), servers.get(name)?.url ?? "").split(
      "\n",
    );
    const told = /^muster: (.*); check (?:that the mesh is running, or pass --retry|the URL)/.exec(
      line,
    );
    expect(isMessage(message, told?.[1] ?? ""), stderr).toBe(true);
    expect([code, more]).toEqual([3, []]);
  });
});

describe("CL59 muster join --retry", () => {
  let started: TestMesh;
  beforeAll(async () => {
    started = await testMesh();
  });
  afterAll(() => (started as TestMesh | undefined)?.stop());

  test("waits for a mesh that is not there yet, and tells each outage once, with its end", async () => {
    const { url } = started.mesh;
    await started.mesh.stop();
    const peer = start(["join", url, "--retry"], { cwd: started.dir });
    await peer.waitForOutput(/cannot reach \S+ \(ECONNREFUSED\); trying again in \d+ ms/);
    // Ten seconds would be the end of a peer without --retry.
    const json = start(["join", url, "--retry", "--json"], { cwd: dir });
    await eventually(
      () => (json.stdout.match(/"type":"disconnected"/g)?.length ?? 0) > 4,
      () => `five attempts in ${json.stdout}`,
    );
    json.child.kill("SIGTERM");
    expect((await json.finished).code).toBe(0);
    expect(json.stdout).toContain('"systemCode":"ECONNREFUSED"');
    expect(peer.stdout.match(/ECONNREFUSED/g)).toHaveLength(1);
    peer.child.kill("SIGTERM");
    expect((await peer.finished).code).toBe(0);
  });
});
