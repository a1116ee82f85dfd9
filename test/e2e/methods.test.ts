import { once } from "node:events";
import { METHODS } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { API_METHODS } from "../../server/front/refused-requests.ts";
import { testMesh, type TestMesh } from "./mesh.ts";

let running: TestMesh;
beforeAll(async () => {
  running = await testMesh();
});
afterAll(() => running?.stop());

/** What the mesh writes to a socket until it closes it. The client never closes its side first. */
async function answersTo(packet: string): Promise<string> {
  const { port } = new URL(running.mesh.url);
  const socket = connect({ port: Number(port), host: "127.0.0.1", allowHalfOpen: true });
  let received = "";
  socket.on("data", (data) => (received += String(data)));
  socket.on("error", () => {});
  socket.write(packet, "latin1");
  const isOver = await Promise.race([
    once(socket, "end").then(() => true),
    sleep(20_000, false, { ref: false }),
  ]);
  socket.destroy();
  if (!isOver) throw new Error(`the mesh keeps the connection open after:\n${received}`);
  return received;
}

const requestOf = (method: string, target: string, ...headers: readonly string[]): string =>
  [`${method} ${target} HTTP/1.1`, "Host: mesh", ...headers, "", ""].join("\r\n");
const LAST = requestOf("GET", "/healthz", "Connection: close");

const statusesOf = (received: string): readonly number[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** The methods that Node's parser reads and no path of the API supports. */
const READ = METHODS.filter(
  (method) => method !== "CONNECT" && !(API_METHODS as readonly string[]).includes(method),
);
/** Methods that it does not read. */
const UNREAD = [
  "get",
  "Get",
  "trace",
  "post",
  "BREW",
  "TRACK",
  "MSEARCH",
  "BAN",
  "X-!#$%&'*+.^_`|~1",
];

describe("a mesh of muster start answers", () => {
  test("HT36 the methods of the API, all of which its front passes on", async () => {
    const response = await fetch(`${running.mesh.url}/openapi.json`);
    const { paths } = (await response.json()) as { paths: Record<string, object> };
    const used = new Set(Object.values(paths).flatMap((path) => Object.keys(path)));
    for (const method of used)
      expect(API_METHODS as readonly string[]).toContain(method.toUpperCase());
    expect(READ).toEqual(expect.arrayContaining(["TRACE", "PURGE", "M-SEARCH", "PROPFIND"]));
  });

  test.each(READ)(
    "HT36 %s with 405 and Allow, and the next request of the connection",
    async (method) => {
      const body = "Content-Length: 3";
      const received = await answersTo(`${requestOf(method, "/v1/mesh", body)}abc${LAST}`);
      expect(statusesOf(received)).toEqual([405, 200]);
      expect(received).toMatch(/\r\nAllow: GET, HEAD, OPTIONS\r\n/);
      expect(received).toContain(`this path does not support ${method}, only GET, HEAD, OPTIONS`);
    },
  );

  test.each(UNREAD)("HT36 %s with 405 and Allow, and closes the connection", async (method) => {
    const received = await answersTo(requestOf(method, "/v1/tasks"));
    expect(statusesOf(received)).toEqual([405]);
    expect(received).toMatch(/\r\nAllow: POST, GET, HEAD, OPTIONS\r\n/);
    expect(received).toContain('"code":"method_not_allowed"');
  });

  test.each([
    ["example.com:443", ""],
    ["/v1/mesh", "GET, HEAD, OPTIONS"],
  ])("HT36 CONNECT %s with 405, and closes the connection", async (target, allowed) => {
    const received = await answersTo(requestOf("CONNECT", target));
    expect(statusesOf(received)).toEqual([405]);
    expect(received).toContain(`\r\nAllow: ${allowed}\r\n`);
  });

  test.each([...READ.slice(0, 3), "TRACE", "get"])(
    "HT36 %s of a path that does not exist with 404",
    async (method) => {
      expect(
        statusesOf(await answersTo(requestOf(method, "/nothing", "Connection: close"))),
      ).toEqual([404]);
    },
  );

  test.each([
    ["PURGE", 405],
    ["POST", 405],
    ["TRACE", 405],
  ])("HT36 a WebSocket that is opened with %s", async (method, status) => {
    const upgrade = ["Upgrade: websocket", "Connection: Upgrade"];
    expect(statusesOf(await answersTo(requestOf(method, "/ws", ...upgrade)))).toEqual([status]);
  });

  test.each([
    ["OPTIONS", "*", "mesh", 204],
    ["TRACE", "*", "mesh", 405],
    ["GET", "*", "mesh", 400],
    ["GET", "http://other.example/healthz", "mesh", 200],
    ["GET", "/healthz", "a b", 400],
    ["GET", "/healthz", "mesh:99999", 400],
    ["GET", "/healthz", "[", 400],
    ["GET", "/healthz", "", 400],
    ["GET", "//mesh:99999/", "mesh", 404],
    ["GET", "/%zz?%zz", "mesh", 404],
    ["GET", "/\u00e4?\u00ff", "mesh", 400],
    ["TRACE", "/\u00e4", "mesh", 400],
    ["get", "/\u00e4", "mesh", 400],
  ])(
    "CL24 %s %s of host %j with %i, and nothing of its own files",
    async (method, target, host, status) => {
      const packet = requestOf(method, target, "Connection: close").replace(
        "mesh\r\n",
        `${host}\r\n`,
      );
      const received = await answersTo(packet);
      expect(statusesOf(received)).toEqual([status]);
      expect(received).not.toMatch(/node_modules|\.js:\d/);
    },
  );

  test("CL24 what is no request with 400, and other requests afterwards", async () => {
    for (const packet of [
      "GARBAGE\r\n\r\n",
      "\0\0\0\0",
      "GET / HTTP/9.9\r\n\r\n",
      "\r\n\r\nget\r\n\r\n",
    ])
      expect(statusesOf(await answersTo(packet))).toEqual([400]);
    expect(statusesOf(await answersTo(LAST))).toEqual([200]);
  });

  test("CL24 an unreadable request gets no answer that belongs to the one before", async () => {
    const received = await answersTo(
      `${requestOf("GET", "/healthz")}${requestOf("get", "/v1/mesh")}`,
    );
    expect(statusesOf(received)).not.toContain(405);
  });
});
