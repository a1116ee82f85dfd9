import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { describeError } from "../../src/cli/failure.ts";
import type { Fetch } from "../../src/client/http/api.ts";
import { HONEST, HOSTILE, sourcesOf } from "../client/discovery/hostile-sources.ts";
import { KEYS } from "../coordinator/mesh.ts";
import { ReplicatedMesh } from "../discovery/replicated-mesh.ts";
import { present } from "../must.ts";

const [A, B] = KEYS;

let scene: ReplicatedMesh;
let behavior = HONEST;
let source: Fetch;
let server: Server;

async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? "";
  const answer = path.startsWith("/v1/discovery/keys")
    ? Response.json(scene.mesh.discoveryKeys())
    : await source(`http://0.test${path}`, { method: "GET", headers: {} });
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(new Uint8Array(await answer.arrayBuffer()));
}

beforeAll(async () => {
  scene = await ReplicatedMesh.withPeers(A, B);
  source = (await sourcesOf(scene, () => [behavior], scene.mesh.listPointers({}))).fetch;
  server = createServer((request, response) => {
    void reply(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => void server.close());
beforeEach(() => {
  behavior = HONEST;
  vi.useFakeTimers({ toFake: ["Date"], now: scene.mesh.now });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Runs the command; a thrown error is described as the program does. */
async function discover(...args: string[]) {
  let [out, err] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => ((out += String(chunk)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((chunk) => ((err += String(chunk)), true));
  const { port } = server.address() as AddressInfo;
  const target = ["--url", `http://127.0.0.1:${port}`, "--token", "t"];
  const code = await present(COMMANDS["discover"])
    .run([...args, ...target])
    .catch((error: unknown) => {
      const { text, exitCode } = describeError(error);
      err += text;
      return exitCode;
    });
  return { code, out, err };
}

describe("muster discover", () => {
  test("DS66 with everything read, exits with 0 and says nothing on stderr", async () => {
    const { code, out } = await discover("--json");
    const ids = (JSON.parse(out) as { id: string }[]).map(({ id }) => id);
    expect([code, ids.toSorted()]).toEqual([0, [A.id, B.id].toSorted()]);
    expect(await discover("--role", "controller")).toMatchObject({ code: 0, out: "no peers\n" });
  });

  test("DS66 with a part read, prints it, says on stderr what is missing and why, and exits with 5", async () => {
    const { blob_id: lost } = present(scene.mesh.pointers[0]);
    behavior = (path, honest) =>
      path.endsWith(lost) ? new Response(null, { status: 404 }) : honest();
    const { code, out, err } = await discover("--json");
    expect(JSON.parse(out)).toHaveLength(1);
    expect(code).toBe(5);
    expect(err).toContain("incomplete: 1 published peer can't be read (1 × blob_missing");
    behavior = present(HOSTILE["has no records"]);
    const none = await discover();
    expect(none).toMatchObject({ code: 5, out: "" });
    expect(none.err).toContain("incomplete: 2 published peers can't be read");
  });

  test.each(Object.keys(HOSTILE))("DS66 of a source that %s, never exits with 0", async (name) => {
    behavior = present(HOSTILE[name]);
    const { code, out, err } = await discover();
    expect([1, 3, 4, 5]).toContain(code);
    expect(out).not.toContain("no peers");
    expect(err).not.toBe("");
    expect(err).not.toContain("unexpected error");
  });

  test("DS66 while nobody may read, because a member has lost its right, says so, and not that the token is wrong", async () => {
    const problem = { type: "t", title: "t", status: 401, code: "unauthorized", detail: "no" };
    behavior = () =>
      Promise.resolve(
        Response.json(problem, {
          status: 401,
          headers: { "content-type": "application/problem+json" },
        }),
      );
    for (const args of [[], ["--follow"]]) {
      const { code, err } = await discover(...args);
      expect(code).toBe(3);
      expect(err).toContain("unavailable: nobody can read discovery at the moment");
      expect(err).not.toContain("pass a token");
    }
  });

  test("DS66 with an old list, exits with 1 and names the bound", async () => {
    vi.setSystemTime(scene.mesh.now + 7_200_000);
    const { code, err } = await discover();
    expect(code).toBe(1);
    expect(err).toContain("directory_old");
    expect((await discover("--max-age", "9000")).code).toBe(0);
  });
});
