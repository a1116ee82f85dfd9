import { once } from "node:events";
import { createServer, request, type IncomingMessage, type Server } from "node:http";
import { connect, createServer as createTcpServer, type Socket } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readPageOrigins } from "../../src/access/page-origins.ts";
import { startFront, type Front } from "../../server/front/front.ts";
import { must } from "../must.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "./outbound/certificate.ts";

/** A server in the mesh's place: it answers with what it received, and echoes an upgraded socket. */
let mesh: Server;
let front: Front;
let dir: string;
let socketPath: string;
const seen: IncomingMessage["headers"][] = [];

beforeEach(async () => {
  seen.length = 0;
  mesh = createServer((received, response) => {
    seen.push(received.headers);
    if (received.url === "/refuse") {
      response.writeHead(429, { "retry-after": "7" }).end("wait");
      return;
    }
    response.writeHead(201, { "content-type": "text/plain", "x-url": received.url ?? "" });
    response.write(`${received.method} `);
    received.pipe(response);
  });
  mesh.on("upgrade", (received: IncomingMessage, socket: Socket, head: Buffer) => {
    seen.push(received.headers);
    if (received.url === "/refuse") {
      socket.end(
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nwait",
      );
      return;
    }
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n",
    );
    socket.write(head);
    if (received.url === "/end") {
      socket.end();
      return;
    }
    socket.on("error", () => {}).pipe(socket);
  });
  dir = await mkdtemp(join(tmpdir(), "muster-front-"));
  socketPath = join(dir, "mesh.sock");
  mesh.listen(socketPath);
  await once(mesh, "listening");
  front = await startFront({ host: "127.0.0.1", port: 0, mesh: socketPath });
});
afterEach(async () => {
  front.stop();
  mesh.close();
  mesh.closeAllConnections();
  await rm(dir, { recursive: true, force: true });
});

const FORGED = {
  "CF-Connecting-IP": "192.0.2.66",
  "Muster-Connection": '{"clientIp":"192.0.2.66"}',
  "X-Kept": "yes",
};
const CONNECTION = JSON.stringify({ clientIp: "127.0.0.1" });

async function send(
  path: string,
  method: string,
  body = "",
  port = front.port,
): Promise<{ readonly answer: IncomingMessage; readonly body: string }> {
  const options = { host: "127.0.0.1", port, path, method, headers: FORGED };
  const sent = request(options).end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return { answer, body: await text(answer) };
}

/** Sends an upgrade request with the first bytes of the protocol, and returns the socket. */
function upgrade(path: string): Socket {
  const socket = connect(front.port, "127.0.0.1");
  const headers = Object.entries(FORGED).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: mesh.example\r\nUpgrade: echo\r\nConnection: Upgrade\r\n${headers.join("")}\r\nfirst`,
  );
  return socket;
}

async function readUntil(socket: Socket, end: string): Promise<string> {
  let received = "";
  for await (const chunk of socket) {
    received += String(chunk);
    if (received.includes(end)) break;
  }
  return received;
}

describe("the front of a local mesh", () => {
  test("SC36 replaces the address that a client claims by the one of its socket", async () => {
    await send("/", "GET");
    expect(seen[0]).toMatchObject({ "muster-connection": CONNECTION, "x-kept": "yes" });
    expect(seen[0]).not.toHaveProperty("cf-connecting-ip");
    const socket = upgrade("/");
    await readUntil(socket, "first");
    expect(seen[1]).toMatchObject({
      "muster-connection": CONNECTION,
      upgrade: "echo",
      host: "mesh.example",
    });
    expect(seen[1]).not.toHaveProperty("cf-connecting-ip");
  });

  test("passes requests and answers on", async () => {
    const { answer, body } = await send("/path?query=1", "POST", "hello");
    expect(answer.statusCode).toBe(201);
    expect(answer.headers).toMatchObject({
      "x-url": "/path?query=1",
      "content-type": "text/plain",
    });
    expect(body).toBe("POST hello");
    expect(await send("/refuse", "GET")).toMatchObject({
      body: "wait",
      answer: { statusCode: 429 },
    });
  });

  test.each(["Content-Length: 5000", "Transfer-Encoding: chunked", "X-No-Body: 1"])(
    "a request follows on no connection on which an upgrade with %s was refused",
    async (header) => {
      // Answers before a body has come, and leaves the connection open.
      const texts: string[][] = [];
      const open = createTcpServer((socket) => {
        const received: string[] = [];
        texts.push(received);
        socket
          .on("error", () => {})
          .on("data", (data) => {
            received.push(String(data));
            socket.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
          });
      });
      const openPath = join(dir, "open.sock");
      open.listen(openPath);
      await once(open, "listening");
      const other = await startFront({ host: "127.0.0.1", port: 0, mesh: openPath });
      try {
        for (const path of ["/first", "/second"]) {
          const socket = connect(other.port, "127.0.0.1");
          socket.write(
            `POST ${path} HTTP/1.1\r\nHost: h\r\nUpgrade: echo\r\nConnection: Upgrade\r\n${header}\r\n\r\n`,
          );
          expect(await readUntil(socket, "no")).toMatch(/^HTTP\/1\.1 403 /);
        }
        await send("/third", "GET", "", other.port);
        expect(texts.map((received) => received.length)).toEqual([1, 1, 1]);
      } finally {
        other.stop();
        open.close();
      }
    },
  );

  test.each([
    ["closes at once", "keep-alive", true],
    ["closes at once, to a client that wants the connection closed", "close", true],
    ["reads no more", "keep-alive", false],
  ])(
    "passes on an answer that comes before a large body was read, from a mesh that %s",
    async (_, connection, closes) => {
      const bodyBytes = 24 * 1_024 * 1_024;
      const refusing = createTcpServer((socket) => {
        socket
          .on("error", () => {})
          .once("data", () => {
            socket.pause();
            socket.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nwho?");
            if (closes) setImmediate(() => socket.destroy());
          });
      });
      const refusingPath = join(dir, "refusing.sock");
      refusing.listen(refusingPath);
      await once(refusing, "listening");
      const other = await startFront({ host: "127.0.0.1", port: 0, mesh: refusingPath });
      try {
        for (let n = 0; n < 20; n++) {
          // It reads the answer once it has sent the whole body, as many clients do.
          const socket = connect(other.port, "127.0.0.1");
          socket.write(
            `POST / HTTP/1.1\r\nHost: h\r\nConnection: ${connection}\r\nContent-Length: ${bodyBytes}\r\n\r\n`,
          );
          await new Promise<void>((resolve, reject) =>
            socket.write(new Uint8Array(bodyBytes), (error) => (error ? reject(error) : resolve())),
          );
          expect(await readUntil(socket, "who?")).toMatch(/^HTTP\/1\.1 401 [^]*who\?$/);
          socket.destroy();
        }
      } finally {
        other.stop();
        refusing.close();
      }
    },
  );

  test("cuts off a client that sends without end after it has its answer", async () => {
    mesh.close();
    mesh.closeAllConnections();
    const socket = connect(front.port, "127.0.0.1");
    const closed = new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
    socket.resume();
    socket.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000000\r\n\r\n");
    const part = new Uint8Array(1_024 * 1_024);
    const sendOn = (error?: Error | null) => {
      if (!error && !socket.destroyed) socket.write(part, sendOn);
    };
    sendOn();
    await closed;
    expect(socket.bytesWritten).toBeGreaterThan(32 * part.length);
  });

  test("passes an upgraded connection on, in both directions, and its end", async () => {
    const socket = upgrade("/");
    socket.write(" second");
    expect(await readUntil(socket, "first second")).toMatch(/^HTTP\/1\.1 101 [^]*first second$/);
    const other = upgrade("/");
    await once(other, "data");
    const closed = new Promise((resolve) => other.on("error", () => {}).once("close", resolve));
    front.stop();
    await closed;
  });

  test("passes on that an upgrade is refused", async () => {
    const received = await text(upgrade("/refuse"));
    expect(received).toMatch(/^HTTP\/1\.1 429 [^]*Retry-After: 7\r\n[^]*\r\n\r\nwait$/);
  });

  test("refuses a request with several headers Host, of which the mesh would take the unchecked one", async () => {
    for (const hosts of [
      ["a", "b/c"],
      ["b/c", "a"],
      ["a", "a"],
    ] as const) {
      for (const more of ["", "Upgrade: echo\r\nConnection: Upgrade\r\n"]) {
        const socket = connect(front.port, "127.0.0.1");
        const lines = hosts.map((host) => `Host: ${host}\r\n`).join("");
        socket.write(`GET / HTTP/1.1\r\n${lines}${more}\r\n`);
        expect(await readUntil(socket, "\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
      }
    }
    expect(seen).toEqual([]);
  });

  test("SV49 says as an API does that the mesh is not there yet, while nothing listens behind it", async () => {
    mesh.close();
    mesh.closeAllConnections();
    for (const method of ["GET", "POST", "BREW"]) {
      const { answer, body } = await send("/v1/tasks", method);
      expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, "2"]);
      expect(answer.headers["content-type"]).toBe("application/problem+json");
      expect(JSON.parse(body)).toMatchObject({
        code: "unavailable",
        detail: "the mesh is starting or stopping; try again",
        retry_after: 2,
      });
    }
    const socket = connect(front.port, "127.0.0.1");
    socket.write(`GET /ws HTTP/1.1\r\n${UPGRADE}\r\n`);
    expect(await readUntil(socket, "try again")).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
  });
});

const UPGRADE = "Host: h\r\nUpgrade: echo\r\nConnection: Upgrade\r\n";
/** What clients send that keep their side of the connection open, whatever the server does. */
const HELD = {
  "a refused upgrade": `GET /refuse HTTP/1.1\r\n${UPGRADE}\r\n`,
  "an upgrade of a foreign page": `GET / HTTP/1.1\r\n${UPGRADE}Origin: https://site.example\r\n\r\n`,
  "an upgrade that the mesh ends": `GET /end HTTP/1.1\r\n${UPGRADE}\r\n`,
  "no request of HTTP": "nonsense\r\n\r\n",
  "CONNECT of a host": "CONNECT host.example:443 HTTP/1.1\r\nHost: h\r\n\r\n",
  "a last request": "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
};

describe("connections that a client keeps open on its side", () => {
  async function guarded(): Promise<Front> {
    const pages = must(readPageOrigins("localhost"));
    return startFront({ host: "127.0.0.1", port: 0, mesh: socketPath, pages });
  }

  /** A client that never closes. */
  function held(port: number, first: string): Socket {
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    socket.on("error", () => {}).resume();
    socket.write(first);
    return socket;
  }

  /** Resolves when what the client sends is answered by a reset: the server has closed the connection on both sides. */
  async function isReset(socket: Socket): Promise<void> {
    const writing = setInterval(() => socket.write("x"), 20);
    if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
    clearInterval(writing);
  }

  test.each(Object.entries(HELD))("end soon after the last answer: %s", async (_, first) => {
    const server = await guarded();
    const socket = held(server.port, first);
    await once(socket, "end");
    await isReset(socket);
    server.stop();
  });

  test.each(Object.entries({ ...HELD, "an open upgrade": `GET / HTTP/1.1\r\n${UPGRADE}\r\n` }))(
    "end with the front: %s",
    async (_, first) => {
      const server = await guarded();
      const socket = held(server.port, first);
      await once(socket, "data");
      server.stop();
      await isReset(socket);
    },
  );

  test("end with the front while they send nothing, a part of a request, or no TLS handshake", async () => {
    const tls = { cert: Buffer.from(CERTIFICATE), key: Buffer.from(CERTIFICATE_KEY) };
    for (const more of [{}, { tls }]) {
      const server = await startFront({ host: "127.0.0.1", port: 0, mesh: socketPath, ...more });
      const sockets = ["", "GET / HTTP/1.1\r\nHo", "\x16\x03\x01"].map((first) =>
        held(server.port, first),
      );
      await Promise.all(sockets.map((socket) => once(socket, "connect")));
      // The connections above were accepted before this one, whose answer says that the server knows them.
      if (!("tls" in more)) await send("/", "GET", "", server.port);
      else
        await once(connectTls({ port: server.port, rejectUnauthorized: false }), "secureConnect");
      server.stop();
      await Promise.all(sockets.map(isReset));
    }
  });
});

describe("the front of a mesh that only this machine reaches", () => {
  /** The status of an upgrade with this origin. */
  async function statusFor(origin: string | null, origins: string | null): Promise<number> {
    const pages = origins === null ? null : must(readPageOrigins(origins));
    const guarded = await startFront({ host: "127.0.0.1", port: 0, mesh: socketPath, pages });
    try {
      const socket = connect(guarded.port, "127.0.0.1");
      const header = origin === null ? "" : `Origin: ${origin}\r\n`;
      socket.write(
        `GET /v1/connect HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: echo\r\nConnection: Upgrade\r\n${header}\r\n`,
      );
      return Number((await readUntil(socket, "\r\n")).split(" ")[1]);
    } finally {
      guarded.stop();
    }
  }

  test.each([
    "https://site.example",
    "http://127.0.0.1.site.example",
    "http://localhost.site.example:8787",
    "http://192.168.1.5",
    "http://[fe80::1]",
    "null",
    "file://",
    "nonsense",
  ])("AD67 refuses a WebSocket of the page %s, unless proxies are named", async (origin) => {
    expect(await statusFor(origin, "localhost")).toBe(403);
    expect(await statusFor(origin, null)).toBe(101);
  });

  test("AD67 accepts a WebSocket of exactly the pages that CORS_ORIGINS lists, and of every program", async () => {
    const listed = "https://site.example";
    expect(await statusFor(listed, listed)).toBe(101);
    expect(await statusFor("http://localhost:5173", listed)).toBe(403);
    for (const origins of [listed, "none"]) expect(await statusFor(null, origins)).toBe(101);
    expect(await statusFor("http://localhost:5173", "none")).toBe(403);
    for (const page of [listed, "null"]) expect(await statusFor(page, "*")).toBe(101);
  });

  test.each([
    null,
    "http://localhost:5173",
    "http://localhost",
    "http://127.0.0.1",
    "http://127.9.9.9:80",
    "http://[::1]:3000",
  ])("AD67 accepts a WebSocket of a program or a page of this machine: %s", async (origin) => {
    expect(await statusFor(origin, "localhost")).toBe(101);
  });
});
