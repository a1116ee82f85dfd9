import { afterEach, describe, expect, test, vi } from "vitest";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { task } from "../client/fake-api.ts";

const ID = "0".repeat(32);
const OTHER = "1".repeat(32);
const PEER = {
  id: ID,
  name: "",
  public_key: null,
  address: "",
  role: "worker",
  added_at: "2030-01-01T00:00:00.000Z",
  last_seen: null,
  ping_ms: null,
  hops: null,
  geo_km: null,
  score: 0.5,
  confidence: 0,
  connected: false,
  state: "revoked",
  protocol: null,
  go_p2p_generation: null,
  capabilities: [],
  slots: 0,
  tasks: 0,
  successes: 0,
  failures: 0,
  known: true,
  rotated_from: null,
};
const DENIED = {
  peer_id: ID,
  public_key: null,
  reason: "rotated",
  denied_at: "2030-01-01T00:00:00.000Z",
  denied_by: "admin",
  rotated_to: OTHER,
};

let server: Server;
afterEach(() => {
  server.close();
  vi.restoreAllMocks();
});

/** Runs a command against a mesh that answers every request with `answer`. Returns its output and the requests. */
async function muster(answer: object | null, command: string, ...args: string[]) {
  const requests: string[] = [];
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.statusCode = answer === null ? 204 : 200;
    response.setHeader("content-type", "application/json");
    response.end(answer === null ? undefined : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  let output = "";
  vi.spyOn(process.stdout, "write").mockImplementation(
    (chunk) => ((output += String(chunk)), true),
  );
  const { port } = server.address() as AddressInfo;
  const url = ["--url", `http://127.0.0.1:${port}`, "--token", "t"];
  expect(await COMMANDS[command]?.run([...args, ...url])).toBe(0);
  return { output, requests };
}

describe("muster revoke", () => {
  test.for([
    [[], ""],
    [["--keep-tasks"], "?keep_tasks=true"],
  ] as const)("AD20 says whether the peer's tasks are kept: %s", async ([options, query]) => {
    const { requests, output } = await muster(PEER, "revoke", ID, ...options);
    expect(requests).toEqual([`POST /v1/peers/${ID}/revoke${query}`]);
    expect(output).toBe(`${ID} is revoked\n`);
  });

  test("AD30 says that the mesh does not know the key", async () => {
    const { output } = await muster({ ...PEER, known: false }, "revoke", ID);
    expect(output).toContain("no record of this key");
  });

  test("AD32 says which peer an old ID has led to", async () => {
    const { output } = await muster({ ...PEER, rotated_from: OTHER }, "revoke", OTHER);
    expect(output).toBe(`${OTHER} has rotated its key and is ${ID} now\n${ID} is revoked\n`);
  });
});

describe("muster token revoke", () => {
  test("AD20 says whether the token's tasks are kept", async () => {
    const { requests } = await muster(null, "token", "revoke", "0011223344556677", "--keep-tasks");
    expect(requests).toEqual(["DELETE /v1/tokens/0011223344556677?keep_tasks=true"]);
  });
});

describe("muster denylist", () => {
  test("AD31 lists what is barred", async () => {
    const answer = { entries: [DENIED], next_cursor: null };
    const { requests, output } = await muster(answer, "denylist", "list", "--reason", "rotated");
    expect(requests).toEqual(["GET /v1/denylist?reason=rotated"]);
    for (const shown of [ID, "rotated", "admin", OTHER]) expect(output).toContain(shown);
  });

  test("AD31 lifts a revocation", async () => {
    const { requests } = await muster(null, "denylist", "lift", ID);
    expect(requests).toEqual([`DELETE /v1/denylist/${ID}`]);
  });
});

describe("muster tasks list", () => {
  test("AD25 shows the owner of each task, and lists those of one owner", async () => {
    const tasks = [task("queued", { owner: "0011223344556677" })];
    const answer = { tasks, next_cursor: null };
    const { requests, output } = await muster(
      answer,
      "tasks",
      "list",
      "--owner",
      "0011223344556677",
    );
    expect(requests[0]).toContain("owner=0011223344556677");
    expect(output).toContain("0011223344556677");
  });
});
