import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request, type IncomingMessage, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readTrustedProxies } from "../../src/access/client-address.ts";
import { ConnectionLimit } from "../../server/front/connection-limit.ts";
import { startFront, type Front, type FrontOptions } from "../../server/front/front.ts";
import { must } from "../must.ts";
import { waitFor } from "../wait-for.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "./outbound/certificate.ts";

/** A server in the mesh's place. `/slow` is never answered, `/large` is more than any buffer holds. */
let mesh: Server;
let front: Front;
let dir: string;
const seen: string[] = [];
const sockets: Socket[] = [];
const refused: string[] = [];

beforeEach(async () => {
  seen.length = refused.length = 0;
  mesh = createServer((received, response) => {
    seen.push(received.url ?? "");
    if (received.url === "/slow") return;
    if (received.url === "/large") response.end(Buffer.alloc(64 * 1_024 * 1_024));
    else response.end("ok");
  });
  mesh.on("upgrade", (received: IncomingMessage, socket: Socket) => {
    seen.push(received.url ?? "");
    socket.on("error", () => {});
    socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
  });
  dir = await mkdtemp(join(tmpdir(), "muster-limits-"));
  mesh.listen(join(dir, "mesh.sock"));
  await once(mesh, "listening");
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  front.stop();
  mesh.close();
  mesh.closeAllConnections();
  await rm(dir, { recursive: true, force: true });
});

async function start(options: Partial<FrontOptions> = {}): Promise<void> {
  front = await startFront({
    host: "127.0.0.1",
    port: 0,
    mesh: join(dir, "mesh.sock"),
    ...options,
  });
}
const limit = (max: number, trusted = ""): ConnectionLimit =>
  new ConnectionLimit({
    max,
    trusted: must(readTrustedProxies(trusted)),
    onRefused: (address) => void refused.push(address),
  });

/** A connection with what it got, and whether it has ended. */
function open(bytes = "") {
  const socket = connect({ port: front.port, host: "127.0.0.1", allowHalfOpen: true });
  sockets.push(socket);
  const state = { socket, got: "", hasEnded: false };
  socket.on("error", () => (state.hasEnded = true)).on("end", () => (state.hasEnded = true));
  socket.on("close", () => (state.hasEnded = true));
  socket.on("data", (data) => (state.got += String(data)));
  socket.write(bytes);
  return state;
}

const get = (path: string, headers = "Host: localhost\r\n", version = "1.1"): string =>
  `GET ${path} HTTP/${version}\r\n${headers}\r\n`;
const UPGRADE = "Host: localhost\r\nUpgrade: x\r\nConnection: Upgrade\r\n";

/** The status of a request of its own connection, with the address of a client that a proxy names. */
async function ask(path: string, client?: string): Promise<[number | undefined, string]> {
  const headers = client === undefined ? {} : { "X-Forwarded-For": client };
  const sent = request({ port: front.port, host: "127.0.0.1", path, headers, agent: false }).end();
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return [answer.statusCode, await text(answer)];
}

describe("the limit of connections of an address", () => {
  test("SV32 a connection over it is closed at once, and one that ends makes room", async () => {
    await start({ limit: limit(3) });
    const [first] = [open(), open(get("/slow")), open(get("/", UPGRADE))];
    await waitFor(() => expect(seen).toEqual(["/slow", "/"]));
    const over = open(get("/"));
    await waitFor(() => expect(over.hasEnded).toBe(true));
    expect(over.got).toBe("");
    expect(refused).toEqual(["127.0.0.1"]);
    first?.socket.destroy();
    await waitFor(async () => expect((await ask("/"))[0]).toBe(200));
  });

  test("SV32 it counts connections before their TLS handshake", async () => {
    const tls = { cert: Buffer.from(CERTIFICATE), key: Buffer.from(CERTIFICATE_KEY) };
    await start({ limit: limit(2), tls });
    const idle = [open(), open(Buffer.from("160301020001", "hex").toString("latin1"))];
    const over = open();
    await waitFor(() => expect(over.hasEnded).toBe(true));
    for (const { socket } of idle) socket.destroy();
    await waitFor(async () => {
      const secure = connectTls({ port: front.port, host: "127.0.0.1", rejectUnauthorized: false });
      sockets.push(secure);
      await once(secure, "secureConnect");
      secure.destroy();
    });
  });

  test("SV33 behind a trusted proxy the requests of each client count, whatever connections the proxy makes", async () => {
    await start({ limit: limit(2, "127.0.0.1") });
    const by = (client: string) => `Host: localhost\r\nX-Forwarded-For: ${client}\r\n`;
    const slow = open(get("/slow", by("192.0.2.1")));
    open(get("/socket", `X-Forwarded-For: 198.51.100.9, 192.0.2.1\r\n${UPGRADE}`));
    await waitFor(() => expect(seen).toEqual(["/slow", "/socket"]));
    const [status, body] = await ask("/", "192.0.2.1");
    expect([status, JSON.parse(body)]).toMatchObject([
      429,
      { code: "rate_limited", retry_after: 5 },
    ]);
    const upgrade = open(get("/", `X-Forwarded-For: 192.0.2.1\r\n${UPGRADE}`));
    await waitFor(() => expect(upgrade.got).toMatch(/^HTTP\/1\.1 429 /));
    expect(refused).toEqual(["192.0.2.1", "192.0.2.1"]);
    // Another client, and the proxy itself, are not concerned.
    expect(await ask("/", "192.0.2.2")).toEqual([200, "ok"]);
    expect(await ask("/")).toEqual([200, "ok"]);
    slow.socket.destroy();
    await waitFor(async () => expect((await ask("/", "192.0.2.1"))[0]).toBe(200));
  });

  test("SV33 a header of a client that is no trusted proxy changes nothing", async () => {
    await start({ limit: limit(1, "192.0.2.99") });
    open(get("/slow"));
    await waitFor(() => expect(seen).toEqual(["/slow"]));
    const over = open(get("/", "Host: localhost\r\nX-Forwarded-For: 198.51.100.1\r\n"));
    await waitFor(() => expect(over.hasEnded).toBe(true));
    expect(refused).toEqual(["127.0.0.1"]);
  });
});

describe("a connection that is not used", () => {
  test("SV34 is closed when its TLS handshake, or the headers of its request, take too long", async () => {
    const tls = { cert: Buffer.from(CERTIFICATE), key: Buffer.from(CERTIFICATE_KEY) };
    await start({ tls, timeouts: { handshake: 50 } });
    const secret = open(Buffer.from("160301020001", "hex").toString("latin1"));
    await waitFor(() => expect(secret.hasEnded).toBe(true));
    front.stop();
    await start({ timeouts: { headers: 50 } });
    const partial = open("GET / HTTP/1.1\r\nHost: loc");
    await waitFor(() => expect(partial.hasEnded).toBe(true));
    expect(partial.got).toMatch(/^(?:HTTP\/1\.1 408 |$)/);
  });

  test("SV34 is closed when its client does not read the answer", async () => {
    await start({ timeouts: { stalled: 100 } });
    const reader = open(get("/large"));
    await waitFor(() => expect(reader.got).not.toBe(""));
    reader.socket.pause();
    // The front has given up: what it still asks of the mesh ends.
    await waitFor(() =>
      expect(
        new Promise((resolve) => mesh.getConnections((_, count) => resolve(count))),
      ).resolves.toBe(0),
    );
  });

  test("SV34 may be silent as long as it likes once it is a WebSocket", async () => {
    await start({ timeouts: { stalled: 50 } });
    const socket = open(get("/", UPGRADE));
    await waitFor(() => expect(socket.got).toMatch(/^HTTP\/1\.1 101 /));
    // A request that is silent meanwhile is ended: the time has passed for both.
    const silent = open(get("/slow"));
    await waitFor(() => expect(silent.hasEnded).toBe(true));
    expect(socket.hasEnded).toBe(false);
  });
});

test("a WebSocket adds no more listeners to its sockets than are expected: Node writes no warning of a leak", async () => {
  const warnings: string[] = [];
  const note = ({ name, message }: Error) => void warnings.push(`${name}: ${message}`);
  process.on("warning", note);
  try {
    await start({ limit: limit(3) });
    const socket = open(get("/", UPGRADE));
    await waitFor(() => expect(socket.got).toMatch(/^HTTP\/1\.1 101 /));
    // A warning is written in the next turn, before the answer to a later request.
    expect((await ask("/"))[0]).toBe(200);
    expect(warnings).toEqual([]);
  } finally {
    process.off("warning", note);
  }
});

describe("a request that the front cannot pass on as it is", () => {
  test.for([
    ["without Host", get("/", ""), "header Host"],
    ["of HTTP/1.0 without Host", get("/", "", "1.0"), "header Host"],
    [
      "of HTTP/1.0 in chunks",
      "POST /a HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
      "Transfer-Encoding",
    ],
  ])("HT76 is refused with 400 and the reason: %s", async ([, bytes, reason]) => {
    await start();
    const asked = open(bytes);
    await waitFor(() => expect(asked.got).toContain(reason));
    expect(asked.got).toMatch(/^HTTP\/1\.[01] 400 /);
    expect(asked.got).toContain("application/problem+json");
    expect(seen).toEqual([]);
  });

  test("HT76 a request of HTTP/1.0 with Host is answered", async () => {
    await start();
    const asked = open(get("/", "Host: localhost\r\n", "1.0"));
    await waitFor(() => expect(asked.hasEnded).toBe(true));
    expect(asked.got).toMatch(/ 200 [\s\S]*ok$/);
  });

  test("HT76 nothing that follows a request of HTTP/1.0 in chunks on its connection is taken for a request", async () => {
    await start();
    const asked = open(
      `POST /a HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${get("/smuggled")}`,
    );
    await waitFor(() => expect(asked.hasEnded).toBe(true));
    expect(seen).toEqual([]);
    expect(asked.got).toMatch(/connection: close/i);
  });
});
