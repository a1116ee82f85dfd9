import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { task } from "../client/fake-api.ts";

afterEach(() => vi.restoreAllMocks());

/** Runs `muster assign` against an API that accepts the task; returns the body of the request. */
const assign = async (...args: string[]): Promise<unknown> => (await assigned(...args)).body;

async function assigned(...args: string[]) {
  vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  const { promise: sent, resolve } = Promise.withResolvers<{
    readonly body: unknown;
    readonly trace: readonly unknown[];
  }>();
  const reply = async (request: IncomingMessage, response: ServerResponse) => {
    const { traceparent, tracestate } = request.headers;
    resolve({ body: JSON.parse(await text(request)), trace: [traceparent, tracestate] });
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

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OTHER = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-00";

test.for([
  [[], {}, [undefined, undefined]],
  [[], { TRACEPARENT, TRACESTATE: "vendor=value" }, [TRACEPARENT, "vendor=value"]],
  [[], { TRACESTATE: "vendor=value" }, [undefined, undefined]],
  [[], { TRACEPARENT: "no trace", TRACESTATE: "vendor=value" }, [undefined, undefined]],
  [["--traceparent", OTHER], { TRACEPARENT, TRACESTATE: "vendor=value" }, [OTHER, undefined]],
] as const)(
  "CL88 muster assign %j in the environment %j sends the trace %j",
  async ([args, env, trace]) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect((await assigned(...args)).trace).toEqual(trace);
  },
);

test("CL88 muster assign refuses a trace that is not valid as an argument", async () => {
  const run = COMMANDS["assign"]?.run(["resize", "--traceparent", TRACEPARENT.toUpperCase()]);
  await expect(run).rejects.toMatchObject({ exitCode: 2 });
});
