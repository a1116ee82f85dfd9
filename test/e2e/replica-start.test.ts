import { spawn } from "node:child_process";
import { inspect } from "node:util";
import { createServer, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { upstashStore } from "../../durable/upstash-store.ts";
import { present } from "../must.ts";
import { PROJECT } from "./processes.ts";

const KEY = "ab".repeat(32);
const TOKEN = "a-secret-token";
const servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server in the place of the store's REST API. */
async function storeAt(answer: (response: ServerResponse) => void): Promise<string> {
  const server: Server = createServer((_, response) => answer(response));
  servers.push({ close: () => (server.closeAllConnections(), server.close()) });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answering = (status: number, body: unknown) => (response: ServerResponse) =>
  void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
const hangs = (): void => {};
const drips = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "application/json" });
  const timer = setInterval(() => response.write(" "), 50);
  response.on("close", () => clearInterval(timer));
};

/** Runs `npm run replica` until it ends or says that it listens. */
async function run(variables: Record<string, string>) {
  const child = spawn(process.execPath, [join(PROJECT, "bin/replica.js")], {
    env: { PATH: process.env["PATH"], PORT: "0", ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const listening = new Promise<"listening">((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (output.includes("replica at http")) resolve("listening");
      });
  });
  const ended = once(child, "exit").then(([code]) => code as number);
  const result = await Promise.race([listening, ended]);
  if (result === "listening") {
    child.kill("SIGKILL");
    await ended;
  }
  return { result, output };
}

describe("starting a replica", () => {
  test.each<[string, Record<string, string>, number, string]>([
    ["without any settings", {}, 2, "UPSTASH_REDIS_REST_URL is not set"],
    ["with a malformed URL", { UPSTASH_REDIS_REST_URL: "SECRET" }, 2, "UPSTASH_REDIS_REST_URL"],
    [
      "with a malformed key",
      { MESH_VERIFYING_KEY: "SECRET" },
      2,
      "MESH_VERIFYING_KEY is not a key",
    ],
    ["with a malformed port", { PORT: "SECRET" }, 2, "PORT is not a port"],
  ])("DS71 %s ends with the reason and its exit code", async (_, change, code, reason) => {
    const url = await storeAt(answering(200, { result: null }));
    const valid = {
      UPSTASH_REDIS_REST_URL: url,
      UPSTASH_REDIS_REST_TOKEN: TOKEN,
      MESH_VERIFYING_KEY: KEY,
    };
    const { result, output } = await run(
      Object.keys(change).length === 0 ? {} : { ...valid, ...change },
    );
    expect([result, output]).toEqual([code, expect.stringContaining(reason) as string]);
    expect(output).not.toContain("SECRET");
    expect(output).not.toContain("    at ");
  });

  test.each<[string, (response: ServerResponse) => void, string | number, string]>([
    ["is empty", answering(200, { result: null }), "listening", "the store holds no directory yet"],
    ["answers 500", answering(500, { error: "ERR" }), "listening", "UPSTASH_REDIS_REST_URL"],
    ["hangs", hangs, "listening", "UPSTASH_REDIS_REST_URL"],
    ["answers byte by byte", drips, "listening", "UPSTASH_REDIS_REST_URL"],
    ["refuses the token", answering(401, { error: "Unauthorized" }), 2, "UPSTASH_REDIS_REST_TOKEN"],
    ["refuses the command", answering(400, { error: "NOPERM" }), 2, "UPSTASH_REDIS_REST_TOKEN"],
    ["has another directory", answering(200, { result: "e30=" }), 2, "MESH_VERIFYING_KEY"],
  ])("DS71 with a store that %s says so", async (_, answer, expected, reason) => {
    const { result, output } = await run({
      UPSTASH_REDIS_REST_URL: await storeAt(answer),
      UPSTASH_REDIS_REST_TOKEN: TOKEN,
      MESH_VERIFYING_KEY: KEY,
    });
    expect([result, output]).toEqual([expected, expect.stringContaining(reason) as string]);
    expect(output).not.toContain(TOKEN);
  });

  test("DS71 at a port that is in use ends with 1 and the names of the variables", async () => {
    const taken = createTcpServer().listen(0, "127.0.0.1");
    servers.push(taken);
    await once(taken, "listening");
    const { result, output } = await run({
      UPSTASH_REDIS_REST_URL: await storeAt(answering(200, { result: null })),
      UPSTASH_REDIS_REST_TOKEN: TOKEN,
      MESH_VERIFYING_KEY: KEY,
      PORT: String((taken.address() as AddressInfo).port),
    });
    expect([result, output]).toEqual([
      1,
      expect.stringContaining(
        "PORT and HOST: this address can't be listened on (EADDRINUSE)",
      ) as string,
    ]);
  });
});

describe("the client of the store", () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ["hangs", hangs],
    ["answers byte by byte", drips],
    ["answers 500", answering(500, { error: "SECRET" })],
    ["answers 500 with a page", (response) => void response.writeHead(500).end("<html>SECRET")],
    ["answers with another value", answering(200, { result: "SECRET!" })],
    ["answers with an error", answering(200, { error: "SECRET" })],
    ["refuses the token", answering(401, { error: "WRONGPASS SECRET" })],
    ["breaks off", (response) => void response.destroy()],
  ])("DS73 a store that %s is an error, which shows no value", async (_, answer) => {
    const access = { url: await storeAt(answer), token: TOKEN };
    const store = upstashStore(access, { timeout: 500, retries: 0 });
    const value = new TextEncoder().encode("SECRET");
    for (const call of [() => store.get("k"), () => store.put("k", value, Date.now() + 60_000)]) {
      const error = await call().then(
        () => null,
        (thrown: unknown) => thrown as Error,
      );
      // A write does not look at the value that comes back.
      if (error === null) continue;
      expect(inspect(error)).not.toMatch(/SECRET|U0VDUkVU/);
    }
    await expect(store.get("k")).rejects.toBeInstanceOf(Error);
  });
});

test("DS71 the output of a replica that listens names its address", async () => {
  const { output } = await run({
    UPSTASH_REDIS_REST_URL: await storeAt(answering(200, { result: null })),
    UPSTASH_REDIS_REST_TOKEN: TOKEN,
    MESH_VERIFYING_KEY: KEY,
  });
  expect(present(/replica at (\S+)/.exec(output))[1]).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});
