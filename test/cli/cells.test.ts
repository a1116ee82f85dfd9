import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { muster } from "./command-run.ts";

const FIGURES = {
  topology_version: 3,
  peers: { connected: 4, known: 5 },
  tasks: { waiting: 6, running: 7 },
  database: { used_bytes: 2_000_000, limit_bytes: 1_000_000_000 },
  messages: 0,
  moving: { cells: 0, peers: 0 },
};
const LEFT = {
  peers: 0,
  open_tasks: 2,
  ended_tasks: 3,
  keys: 40,
  forwards: 0,
  uploads: 0,
  deliveries: 5,
  audit: 0,
  messages: 1,
};
const waiting = (first = "facts") => [
  { cell: 1, messages: 12, oldest_wait_seconds: 720.4, first },
  { cell: 2, messages: 1, oldest_wait_seconds: 3, first: "tasks" },
];

let cells: readonly object[] = [];
let server: Server;
let url: string;

beforeEach(async () => {
  server = createServer((request, response) => {
    const isKnown = request.url === "/v1/cells";
    const body = { wanted: 2, topology_version: 3, changing: true, cells };
    response.writeHead(isKnown ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(isKnown ? body : {}));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => void server.close());

const linesOf = async () => {
  const { code, out } = await muster("cells", "--url", url, "--token", "t");
  expect(code).toBe(0);
  return out.trimEnd().split("\n");
};

const cellOf = (cell: number, more: object = {}, state = "active") => ({
  cell,
  state,
  answers: true,
  figures: { ...FIGURES, ...more },
});

describe("muster cells", () => {
  test("CE165 says which messages wait, for which cell, for how long and behind which one", async () => {
    cells = [cellOf(0, { messages: 13, waiting: waiting() }), cellOf(1), cellOf(2)];
    expect((await linesOf()).slice(5)).toEqual([
      "12 messages of cell 0 for cell 1 not taken, the oldest for 720 s; the first: facts",
      "1 message of cell 0 for cell 2 not taken, the oldest for 3 s; the first: tasks",
      "",
      "2 cells are wanted (CELLS); a change is in progress",
    ]);
  });

  test("CE70 says what a cell gets from others, what drains, and how many do not answer", async () => {
    cells = [
      cellOf(0, { moving: { cells: 2, peers: 1 } }),
      cellOf(1, { moving: { cells: 1, peers: 30 } }),
      cellOf(2, {}, "draining"),
      { cell: 3, state: "active", answers: false, figures: null },
      { cell: 4, state: "removed", answers: false, figures: null },
    ];
    expect((await linesOf()).slice(7)).toEqual([
      "cell 0 gets 1 peer or key from 2 other cells",
      "cell 1 gets 30 peers and keys from 1 other cell",
      "",
      "2 cells are wanted (CELLS); a change is in progress; a cell that drains is removed by itself once it has nothing left; 1 cell does not answer",
    ]);
  });

  test("CE166 says what a draining cell still keeps", async () => {
    const none = Object.fromEntries(Object.keys(LEFT).map((name) => [name, 0]));
    cells = [
      cellOf(0),
      cellOf(1, { left: LEFT }, "draining"),
      cellOf(2, { left: none }, "draining"),
    ];
    expect((await linesOf()).slice(5, 7)).toEqual([
      "cell 1 drains and still has: 2 open tasks, 3 ended tasks, 40 idempotency keys, 5 webhook deliveries, 1 message for other cells",
      "cell 2 drains and still has: nothing; it is removed within 5 minutes",
    ]);
  });

  test("CE165 escapes what another version may have written", async () => {
    cells = [cellOf(0, { waiting: waiting("a\u001b[2J\u202e") })];
    const out = (await linesOf()).join("\n");
    for (const hostile of ["\u001b", "\u202e"]) expect(out).not.toContain(hostile);
  });

  test("CE166 a mesh of an earlier version, which says neither, is shown", async () => {
    cells = [cellOf(0), { cell: 1, state: "active", answers: false, figures: null }];
    expect(await linesOf()).toHaveLength(5);
  });
});
