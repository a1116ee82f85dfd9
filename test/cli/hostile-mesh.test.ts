import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { describeError } from "../../src/cli/failure.ts";
import { note } from "../../src/cli/output.ts";
import { onLines } from "../../src/cli/stream-lines.ts";
import { ATTACKS, HOSTILE_CHARACTERS, hostileIn, writtenDuring } from "./terminal.ts";

const HOSTILE = `begin${[...ATTACKS, ...HOSTILE_CHARACTERS].join("x")}end`;
const PROBLEM = { type: "t", title: HOSTILE, status: 409, code: "conflict", detail: HOSTILE };

let server: Server;
beforeAll(async () => {
  server = createServer((_request, response) => {
    response.writeHead(409, { "content-type": "application/problem+json" });
    response.end(JSON.stringify({ ...PROBLEM, issues: [{ path: HOSTILE, message: HOSTILE }] }));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
});
afterAll(() => void server.close());

const ID = "0123456789abcdef0123456789abcdef";
const KEY = "12".repeat(32);
const TASK = "00000000-0000-4000-8000-000000000001";

test.each([
  "assign kind",
  `task ${TASK}`,
  `task ${TASK} --cancel`,
  "tasks list",
  "tasks stats",
  "tasks failures",
  `tasks cancel ${TASK} --yes`,
  "callback secret https://one.example",
  "callback rotate https://one.example",
  "mesh auth-mode open",
  "webhook list",
  "peers",
  `peers cordon ${ID}`,
  `score ${ID}`,
  `why ${TASK}`,
  `rtt ${ID} ${ID}`,
  "dial list",
  `allow ${KEY}`,
  `disallow ${KEY}`,
  `revoke ${ID}`,
  "join-key list",
  "token list",
  "audit",
  "cells",
  "metrics",
  "kinds load a",
  "mesh",
])(
  "CL1 muster %s shows the refusal of a hostile mesh on one line, without control characters",
  async (words) => {
    const [name = "", ...args] = words.split(" ");
    const { port } = server.address() as AddressInfo;
    const shown = await writtenDuring(async () => {
      const command = COMMANDS[name]?.run([...args, "--url", `http://127.0.0.1:${port}`]);
      const error: unknown = await command?.then(
        () => "the command succeeded",
        (thrown: unknown) => thrown,
      );
      const { text, details } = describeError(error);
      note([text, ...details]);
    });
    expect(shown).toMatch(/^conflict: begin.*end.*\n {2}`npx muster help conflict` explains it\n$/);
    expect(hostileIn(shown)).toEqual([]);
  },
);

test("CL6 the output of another program is handed over line by line, in any chunks, without colors", async () => {
  const text = `one\r\n\u001b[31mtwo\u001b[0m\n\n${"x".repeat(40_000)}\nlast é`;
  for (const size of [1, 7, 100_000]) {
    const bytes = Buffer.from(text);
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
      bytes.subarray(n * size, (n + 1) * size),
    );
    const lines: string[] = [];
    const stream = Readable.from(chunks, { objectMode: false });
    onLines(stream, (line) => lines.push(line));
    await new Promise((ended) => stream.once("end", ended));
    expect([lines[0], lines[1], lines.at(-1)]).toEqual(["one", "two", "last é"]);
    expect(lines.join("").replaceAll(/[^x]/g, "")).toHaveLength(40_000);
  }
});
