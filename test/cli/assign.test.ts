import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, test, vi } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { task } from "../client/fake-api.ts";

afterEach(() => vi.restoreAllMocks());

/** Runs `muster assign` against an API that accepts the task; returns the body of the request. */
async function assign(...args: string[]): Promise<unknown> {
  vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  const { promise: sent, resolve } = Promise.withResolvers<unknown>();
  const reply = async (request: IncomingMessage, response: ServerResponse) => {
    resolve(JSON.parse(await text(request)));
    response.setHeader("content-type", "application/json").end(JSON.stringify(task("running")));
  };
  const server = createServer((request, response) => {
    void reply(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    const { port } = server.address() as AddressInfo;
    const target = ["--url", `http://127.0.0.1:${port}`, "--token", "t"];
    expect(await COMMANDS["assign"]?.run(["resize", ...args, ...target])).toBe(0);
    return await sent;
  } finally {
    server.close();
  }
}

test.for([
  [["--concurrency-key", "db 7", "--concurrency-limit", "2"], { key: "db 7", limit: 2 }],
  [["--concurrency-key", "db 7"], { key: "db 7", limit: 1 }],
  [[], undefined],
] as const)("muster assign %j submits the concurrency %j", async ([args, concurrency]) => {
  expect(await assign(...args)).toEqual(
    concurrency === undefined
      ? expect.not.objectContaining({ concurrency: expect.anything() })
      : expect.objectContaining({ concurrency }),
  );
});

test("muster assign refuses --concurrency-limit without --concurrency-key", async () => {
  await expect(
    COMMANDS["assign"]?.run(["resize", "--concurrency-limit", "2", "--url", "http://127.0.0.1:1"]),
  ).rejects.toThrow("--concurrency-limit needs --concurrency-key");
});

test.for([
  ["{broken", /^PAYLOAD is not JSON: .* \(at character 1\)$/],
  ["NaN", /^PAYLOAD is not JSON: .* \(at character 0\)$/],
  ["hello", /^PAYLOAD is not JSON: .* \(at character 0\)$/],
  ["1e400", /^PAYLOAD can't be sent: the number 1e400 is larger than any double/],
  ['{"a":[1e400]}', /^PAYLOAD\.a\S* can't be sent: the number 1e400 is larger than any double/],
] as const)("muster assign refuses the payload %s and says why", async ([payload, says]) => {
  const run = Promise.resolve(COMMANDS["assign"]?.run(["resize", payload]));
  const error: unknown = await run.catch((thrown: unknown) => thrown);
  const needsQuotes = "a JSON string needs its quotes: '\"like this\"'";
  expect(error).toMatchObject({
    message: expect.stringMatching(says),
    hint: says.source.includes("not JSON") ? needsQuotes : undefined,
    exitCode: 2,
  });
});
