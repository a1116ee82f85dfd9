import { createHash } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo, type Server } from "node:net";
import type { Duplex } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { controller, type MeshClient, type DialView } from "../../src/client/index.ts";
import { testMesh, type TestMesh } from "./mesh.ts";
import { muster, type ExitResult } from "./processes.ts";

let started: TestMesh;
let operator: MeshClient;
beforeAll(async () => {
  started = await testMesh({ ALLOW_LOOPBACK: "true" });
  operator = controller({ url: started.mesh.url, token: started.mesh.adminToken });
});
afterAll(() => (started as TestMesh | undefined)?.stop());

const servers: Server[] = [];
const connections: Duplex[] = [];
afterEach(async () => {
  for (const { id } of await operator.dials.list().toArray()) await operator.dials.remove(id);
  for (const connection of connections.splice(0)) connection.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** Starts the server; returns its address to dial. */
async function listening(server: Server): Promise<string> {
  servers.push(server);
  server.on("connection", (socket) => {
    connections.push(socket);
    socket.on("error", () => undefined); // the mesh resets connections in these tests
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
}

/** An HTTP server that accepts every WebSocket upgrade (RFC 6455 §4.2.2). */
function webSocketServer(onOpen: (socket: Duplex) => void): Server {
  const server = createHttpServer();
  server.on("upgrade", ({ headers }, socket) => {
    const key = `${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    onOpen(socket);
  });
  return server;
}

/** Registers an address; resolves with the error of the first attempt to dial it. */
async function firstFailure(url: string): Promise<string> {
  await operator.dials.put(url);
  const view = async () =>
    (await operator.dials.list().toArray()).find((dial) => dial.url === url && dial.failures > 0);
  await expect.poll(view, { timeout: 90_000 }).toBeDefined();
  return String((await view())?.last_error);
}

describe("the mesh dials an address on a real network", () => {
  test("DL7 a closed port is reported as unreachable", async () => {
    const server = createServer();
    const url = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await firstFailure(url)).toMatch(/^unreachable: /);
  });

  test("DL7 an attempt fails when the node does not answer within 10 s", async () => {
    expect(await firstFailure(await listening(createServer()))).toBe("no answer within 10 s");
  });

  test("DL7 a redirect is not followed", async () => {
    let followed = 0;
    const target = await listening(webSocketServer(() => followed++));
    const server = createHttpServer();
    server.on("upgrade", (_, socket) =>
      socket.end(`HTTP/1.1 302 Found\r\nLocation: ${target.replace("ws", "http")}\r\n\r\n`),
    );
    expect(await firstFailure(await listening(server))).toMatch(/HTTP 302|unreachable/);
    expect(followed).toBe(0);
  });

  test("DL8 an attempt fails when the node closes the connection at once", async () => {
    const url = await listening(webSocketServer((socket) => socket.destroy()));
    expect(await firstFailure(url)).toMatch(/^the connection (closed|broke)|^unreachable/);
  });

  test("DL12 a node that neither speaks nor answers a close is disconnected", async () => {
    const cut: Promise<unknown>[] = [];
    const server = webSocketServer((socket) => {
      socket.resume();
      cut.push(new Promise((resolve) => socket.once("end", resolve)));
    });
    expect(await firstFailure(await listening(server))).toMatch(/^handshake_timeout: /);
    await cut[0];
  });

  test.each(["ws://10.1.2.3:9091/ws", "ws://169.254.169.254/latest", "ws://[fd00::1]:9091/ws"])(
    "CB2 a private address is refused even if loopback addresses are allowed: %s",
    async (url) => {
      await expect(operator.dials.put(url)).rejects.toMatchObject({ code: "invalid_request" });
    },
  );
});

describe("muster dial", () => {
  const here = (...args: string[]): Promise<ExitResult> => muster(args, { cwd: started.dir });
  const key = "fe3d33b16b7af8d3f14ea8a4e61bf5ba07ca2a9fe6df5c2ae0d41e3b0b0c5d0f";

  test("registers, lists and removes addresses", async () => {
    const url = await listening(createServer());
    const added = await here("dial", url, "--public-key", key, "--name", "node one", "--json");
    expect(added).toMatchObject({ code: 0, stderr: "" });
    const entry = JSON.parse(added.stdout) as DialView;
    expect(entry).toMatchObject({ url, name: "node one", public_key: key, state: "dialling" });
    expect((await here("peers")).stdout).toMatch(/node one +worker +discovered/);
    const listed = await here("dial", "list");
    expect(listed.stdout).toContain(`${entry.id}  ${url}`);
    expect((await here("dial", "remove", entry.id)).stdout).toContain("was removed");
    expect((await here("dial", "list")).stdout.trim()).toBe("no addresses");
  });

  test("refuses an invalid address with the reason", async () => {
    expect(await here("dial", "ws://10.0.0.1/ws")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("not a public address"),
    });
    expect(await here("dial", "nonsense")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("usage: npx muster dial"),
    });
  });
});
