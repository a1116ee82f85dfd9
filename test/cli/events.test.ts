import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { muster } from "./command-run.ts";
import { hostileIn } from "./terminal.ts";

const PEER = "12".repeat(16);
const TASK = "00000000-0000-4000-8000-000000000001";
const position = (id: number): string => `${id}-0badcafe`;
const at = "2026-11-22T12:00:00.000Z";
const EVENTS = [
  {
    type: "task.progress",
    task: TASK,
    kind: "resize",
    owner: "admin",
    peer: PEER,
    fence: 1,
    state: "running",
    previous: "running",
    progress: 0.42,
    message: "page\u001b[2J 3",
  },
  {
    type: "peer.scheduling",
    peer: PEER,
    name: "gpu-1",
    state: "active",
    previous: "active",
    scheduling: "draining",
    leaving: false,
  },
  { type: "circuit.opened", peer: PEER, kind: null },
  { type: "denylist.added", peer: PEER },
].map((event, index) => ({ id: position(index + 1), at, ...event }));
const GAP = { reason: "overwritten", after: position(4), until: position(9) };

const MESH = {
  name: "m",
  id: PEER,
  public_key: "12".repeat(32),
  discovery_key: "12".repeat(32),
  signing_key: "12".repeat(32),
  protocols: ["muster/2"],
  time: at,
};

/** A mesh that streams some events and then says that the token is over. */
let server: Server;
let url: string;
const asked: URL[] = [];
const tokens: (string | undefined)[] = [];
const block = (id: string, type: string, data: object): string =>
  `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

function stream(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of EVENTS) response.write(block(event.id, event.type, event));
  response.write(block(GAP.until, "gap", GAP));
  const end = { code: "unauthorized", detail: "this token was revoked or has expired" };
  response.end(`event: end\ndata: ${JSON.stringify(end)}\n\n`);
}

beforeEach(async () => {
  vi.stubEnv("MUSTER_URL", "");
  asked.length = 0;
  tokens.length = 0;
  server = createServer((request, response) => {
    const asking = new URL(request.url ?? "/", "http://mesh.test");
    if (asking.pathname === "/v1/mesh") {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(MESH));
      return;
    }
    asked.push(asking);
    tokens.push(request.headers.authorization);
    stream(response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  vi.unstubAllEnvs();
  server.close();
  server.closeAllConnections();
});

describe("muster events", () => {
  test("CL80 prints a line for each event, escaped, and says at the end how to go on", async () => {
    const filters = ["--type", "task.,peer.", "--kind", "resize", "--task", TASK.toUpperCase()];
    const { out, err, code } = await muster("events", "--url", url, "--token", "t", ...filters);
    expect(out.split("\n")).toEqual([
      `${at}  task.progress  ${TASK}  resize  at ${PEER}  42 %  page\\u001b[2J 3`,
      `${at}  peer.scheduling  ${PEER}  gpu-1  draining`,
      `${at}  circuit.opened  ${PEER}  every kind`,
      `${at}  denylist.added  ${PEER}`,
      `events are missing before ${position(9)} (overwritten): look at the states again`,
      "",
    ]);
    expect(hostileIn(out)).toEqual([]);
    expect(code).not.toBe(0);
    expect(err).toContain("unauthorized: this token was revoked or has expired");
    // A secret among the arguments is not repeated.
    expect(err).toContain(
      `events --after ${position(9)} --type 'task.,peer.' --kind resize --task ${TASK.toUpperCase()} --url '${url}/' --token-file FILE`,
    );
    expect(Object.fromEntries(asked[0]?.searchParams ?? [])).toEqual({
      type: "task.,peer.",
      kind: "resize",
      task: TASK,
    });
    expect(tokens).toEqual(["Bearer t"]);
  });

  test("CL81 --json prints one event a line, gaps included", async () => {
    const { out } = await muster(
      "events",
      "--url",
      url,
      "--token",
      "t",
      "--json",
      "--after",
      "oldest",
    );
    const gap = { type: "gap", id: GAP.until, reason: GAP.reason, after: GAP.after };
    const lines = out.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([...EVENTS, gap]);
    expect(asked[0]?.searchParams.get("after")).toBe("oldest");
  });

  test.each([
    ["--peer", "me"],
    ["--task", "1"],
    ["--task", `${TASK},`],
  ])("CL82 refuses %s %s before any request", async (option, value) => {
    const { code, err } = await muster("events", "--url", url, "--token", "t", option, value);
    expect([code, asked]).toEqual([2, []]);
    expect(err).toContain(option);
  });

  test("CL83 does not wait for a mesh that was never there", async () => {
    server.close();
    server.closeAllConnections();
    const { code, err } = await muster("events", "--url", url, "--token", "t");
    expect(code).not.toBe(0);
    expect(err).toContain("unreachable");
    expect(err).not.toContain("--after");
  });
});
