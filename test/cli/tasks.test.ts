import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { ID } from "../client/fake-api.ts";

/** A mesh's API that answers every request with `answer` and records the requests. */
let server: Server;
let answer: object;
const requests: { readonly path: string; readonly body: unknown }[] = [];

async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  requests.push({ path: request.url ?? "", body: body === "" ? null : JSON.parse(body) });
  response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
}

beforeEach(async () => {
  requests.length = 0;
  server = createServer((request, response) => {
    void reply(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  server.close();
  vi.restoreAllMocks();
});

/** What the command wrote to stderr. */
let notes = "";

async function muster(...args: string[]): Promise<string> {
  let output = "";
  notes = "";
  const write = (chunk: unknown) => ((output += String(chunk)), true);
  vi.spyOn(process.stdout, "write").mockImplementation(write);
  vi.spyOn(process.stderr, "write").mockImplementation((chunk) => ((notes += String(chunk)), true));
  const { port } = server.address() as AddressInfo;
  const url = ["--url", `http://127.0.0.1:${port}`, "--token", "t"];
  expect(await COMMANDS["tasks"]?.run([...args, ...url])).toBe(0);
  return output;
}

const piece = (more: object = {}) => ({
  count: 2,
  task_ids: [ID],
  skipped: [],
  next_cursor: null,
  ...more,
});

describe("muster tasks", () => {
  test("CE42 says on stderr, once, which cells of the mesh are missing in what it shows", async () => {
    answer = { tasks: [], next_cursor: null, missing_cells: [1, 3] };
    await muster("list");
    expect(notes).toContain(
      "cells 1, 3 of the mesh do not answer: what they have is missing here; `npx muster cells` shows the cells; repeat the command later\n",
    );
    await muster("list");
    expect(notes).not.toContain("of the mesh");
    answer = { tasks: [], next_cursor: null };
    await muster("list");
    expect(notes).not.toContain("of the mesh");
  });

  test("SB14 stats shows the bytes of each owner and its limit", async () => {
    const counts = { waiting: 1, running: 0, oldest_wait_seconds: 3 };
    const limits = { weight: 1, max_waiting: 2500, max_running: null, max_priority: null };
    const owner = { owner: "admin", label: null, ...counts, bytes: 1_234_567 };
    answer = {
      ...counts,
      queue_max: 10_000,
      kinds: [{ kind: "a", ...counts, settings: null }],
      owners: [
        { ...owner, limits: { ...limits, max_bytes: null } },
        { ...owner, owner: "b".repeat(16), limits: { ...limits, max_bytes: 5_000_000 } },
      ],
      truncated: false,
    };
    const output = await muster("stats");
    expect(output).toMatch(/max priority +MB +max MB\n/);
    expect(output).toMatch(/^admin .* 1\.235 +- *$/m);
    expect(output).toMatch(/^b{16} .* 1\.235 +5\.000 *$/m);
  });

  test("FQ11 stats prints the queue by kind and by owner, with the limits that hold", async () => {
    const counts = { waiting: 3, running: 1, oldest_wait_seconds: 61.4 };
    const limits = { weight: 4, max_waiting: 2_500, max_running: 20, max_priority: null };
    const settings = {
      kind: "resize",
      attempt_timeout_seconds: null,
      concurrency: 8,
      rate: { per_second: 5, burst: 1 },
    };
    answer = {
      ...counts,
      queue_max: 10_000,
      kinds: [{ kind: "resize", ...counts, settings }],
      owners: [{ owner: "4d5e", label: "ci", ...counts, limits }],
      truncated: false,
    };
    const output = await muster("stats");
    expect(output).toContain("3 waiting (at most 10000), 1 running");
    expect(output).toMatch(/resize +3 +1 +61 s +8 +5\/s/);
    expect(output).toMatch(/4d5e +ci +3 +1 +61 s +4 +2500 +20 +-/);
    expect(requests).toEqual([{ path: "/v1/tasks/stats", body: null }]);
  });

  test("lists tasks when no action is named, as `muster peers` lists peers", async () => {
    answer = { tasks: [], next_cursor: null };
    await muster("--state", "failed");
    expect(requests[0]?.path).toMatch(/^\/v1\/tasks\?.*state=failed/);
  });

  test("AS83 --dry-run prints how many tasks it would be", async () => {
    answer = piece();
    const output = await muster("retry", "--kind", "a", "--error", "disk", "--dry-run");
    expect(output).toBe(`2 tasks would be retried\n  ${ID}\n  and 1 more\n`);
    const json: unknown = JSON.parse(await muster("retry", "--kind", "a", "--dry-run", "--json"));
    expect(json).toEqual({ count: 2, task_ids: [ID], skipped: [] });
    const filter = { kind: "a", error_contains: "disk" };
    expect(requests[0]).toEqual({ path: "/v1/tasks/retry", body: { filter, dry_run: true } });
  });

  test("AS82 acts without a question with --yes, and prints what was skipped", async () => {
    answer = piece({ skipped: [{ id: ID, code: "not_found" }] });
    expect(await muster("cancel", ID, "--yes")).toContain(`skipped ${ID}: not_found`);
    expect(requests).toEqual([{ path: "/v1/tasks/cancel", body: { ids: [ID], dry_run: false } }]);
    await muster("retry", ID, "--yes", "--max-attempts", "3", "--deadline", "60", "--json");
    const more = { max_attempts: 3, deadline_seconds: 60 };
    expect(requests.at(-1)?.body).toEqual({ ids: [ID], ...more, dry_run: false });
  });

  test("CL41 says once how many tasks changed, and before that only what earlier requests did", async () => {
    answer = piece();
    expect(await muster("cancel", ID, "--yes")).toContain("2 tasks cancelled");
    expect(notes).not.toContain("cancelled");
    let requested = 0;
    // Three requests: the mesh names a cursor twice.
    Object.defineProperty(answer, "next_cursor", {
      enumerable: true,
      get: () => (++requested % 3 === 0 ? null : "1"),
    });
    expect(await muster("cancel", "--kind", "a", "--yes")).toContain("6 tasks cancelled");
    expect(notes.match(/\d+ tasks cancelled so far/g)).toEqual([
      "2 tasks cancelled so far",
      "4 tasks cancelled so far",
    ]);
  });

  test.for([
    [["retry", "--kind", "a"], "pass --yes, or --dry-run"],
    [["cancel"], "name tasks, or filter them"],
    [["cancel", ID, "--kind", "a"], "IDs and a filter exclude each other"],
    [["cancel", "--state", "failed"], "--state must be one of queued, leased, running"],
    [["drop"], 'unknown action "drop"'],
  ] as const)("refuses %j and asks the mesh nothing", async ([args, message]) => {
    const url = ["--url", "http://127.0.0.1:1", "--token", "t"];
    const error = await COMMANDS["tasks"]
      ?.run([...args, ...url])
      .catch((thrown: unknown) => thrown);
    expect(`${(error as Error).message}; ${String((error as { hint?: string }).hint)}`).toContain(
      message,
    );
    expect(requests).toEqual([]);
  });

  test("AS86 failures prints one line for each reason", async () => {
    const at = "2030-01-01T00:00:00.000Z";
    const group = {
      kind: "resize",
      state: "failed",
      reason: "no disk <n>",
      count: 17,
      first_at: at,
      last_at: at,
      error: "no disk 4",
      task_ids: [ID],
      peers: [],
      peer_count: 3,
    };
    answer = { groups: [group], count: 17, group_count: 2, complete: false };
    const output = await muster("failures", "--since", at);
    expect(output).toContain(`17  resize  failed  no disk <n>      3  ${at}  ${ID}`);
    expect(output).toContain("1 further groups are not shown");
    expect(output).toContain("only the newest 17 tasks were read");
    expect(requests[0]?.path).toBe(`/v1/tasks/failures?ended_after=${encodeURIComponent(at)}`);
  });
});
