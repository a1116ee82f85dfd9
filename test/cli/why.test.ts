import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { muster } from "./command-run.ts";

const TASK = "02000000-0000-8000-8000-000000000000";
const WHY = {
  task_id: TASK,
  attempt: null,
  at: "2030-01-01T00:00:00.000Z",
  policy: "expected-cost",
  chosen: null,
  by: null,
  waits_because: "no peer is connected",
  reproduced: true,
  eligible: 0,
  mean_cost_ms: null,
  contenders: [],
  ruled_out: {},
  excluded: [],
  draws: { lot: 0, venture: 0 },
  constants: {},
};

let cells: object | undefined;
let server: Server;
let url: string;

beforeEach(async () => {
  server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ ...WHY, cells }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => void server.close());

const linesOf = async () => {
  const { code, out } = await muster("why", TASK, "--url", url, "--token", "t");
  expect(code).toBe(0);
  return out.trimEnd().split("\n");
};

const HEADLINE = "queued: no peer is connected (expected-cost; 0 eligible peers)";

test.each([
  [undefined, []],
  [
    { cell: 2, considered: [2] },
    ["in cell 2, whose peers are compared; considered besides: no other cell"],
  ],
  [
    { cell: 2, considered: [2, 1] },
    ["in cell 2, whose peers are compared; considered besides: cell 1"],
  ],
  [
    { cell: 3, considered: [2, 1, 3] },
    ["in cell 3, whose peers are compared; considered besides: cells 2, 1"],
  ],
])(
  "CE50 muster why says in which cell the task is, and which were considered: %o",
  async (given, lines) => {
    cells = given;
    expect(await linesOf()).toEqual([HEADLINE, ...lines]);
  },
);
