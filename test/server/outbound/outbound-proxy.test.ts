import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { LookupAddress } from "node:dns";
import type { Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startOutboundProxy, type OutboundProxy } from "../../../server/outbound/outbound-proxy.ts";
import { readOutboundAllow } from "../../../src/protocol/outbound-allow.ts";
import { PROXY_HEADERS } from "../../../src/protocol/outbound-proxy.ts";
import { must } from "../../must.ts";
import { address, ask, call, TestReceiver, type Asked } from "./receivers.ts";
import { CERTIFICATE } from "./certificate.ts";

let receiver: TestReceiver;
let proxy: OutboundProxy;
/** What the next lookups answer; the last answer is repeated. */
let answers: readonly string[][] = [];
let lookups: string[] = [];

const resolve = async (name: string): Promise<readonly LookupAddress[]> => {
  const found = answers[Math.min(lookups.length, answers.length - 1)] ?? [];
  lookups.push(name);
  return found.map(address);
};

beforeEach(async () => {
  lookups = [];
  answers = [["127.0.0.1"]];
  receiver = await TestReceiver.start();
  proxy = await startOutboundProxy({ resolve });
});
afterEach(() => {
  proxy.stop();
  receiver.stop();
});

const NAME = "receiver.example.com";
const urlOf = (path: string, host = NAME): string => `http://${host}:${receiver.port}${path}`;

/** Sends an upgrade through the proxy; resolves with the answer, and the socket when it was accepted. */
async function upgrade(asked: Asked): Promise<{ answer: IncomingMessage; socket: Socket | null }> {
  const sent = ask(
    proxy,
    { method: "GET", ...asked },
    {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-key": "KEY",
      "sec-websocket-version": "13",
    },
  ).end();
  return new Promise((done, failed) => {
    sent.once("error", failed);
    sent.once("response", (answer) => done({ answer: answer.resume(), socket: null }));
    sent.once("upgrade", (answer, socket: Socket) => done({ answer, socket }));
  });
}

describe("a request to a host that the operator allows", () => {
  const allowing = async (list: string): Promise<OutboundProxy> => {
    proxy.stop();
    return (proxy = await startOutboundProxy({ resolve, allow: must(readOutboundAllow(list)) }));
  };
  const asked = (host: string) => ({ url: urlOf("/200", host), allowLoopback: false });

  test("SV27 by its name, by its address, and by a network that has the address", async () => {
    await allowing(`${NAME}:${receiver.port}, hooks`);
    expect(await call(proxy, asked(NAME))).toMatchObject({ status: 200, fault: null });
    expect(await call(proxy, asked("HOOKS."))).toMatchObject({ status: 200, fault: null });
    await allowing(`127.0.0.1:${receiver.port}`);
    expect(await call(proxy, asked("127.0.0.1"))).toMatchObject({ status: 200, fault: null });
    await allowing("127.0.0.0/8");
    expect(await call(proxy, asked("0x7f.1"))).toMatchObject({ status: 200, fault: null });
    expect(receiver.seen).toHaveLength(4);
  });

  test("SV27 on no other port", async () => {
    await allowing(`${NAME}:${receiver.port + 1}, 127.0.0.1:${receiver.port + 1}`);
    expect(await call(proxy, asked(NAME))).toMatchObject({ fault: "not_public" });
    expect(await call(proxy, asked("127.0.0.1"))).toMatchObject({ fault: "url_refused" });
    expect(receiver.connections).toBe(0);
  });

  test("SV28 another name that resolves to the address is refused", async () => {
    await allowing("127.0.0.0/8, 127.0.0.1, hooks");
    expect(await call(proxy, asked(NAME))).toMatchObject({ fault: "not_public" });
    expect(receiver.connections).toBe(0);
  });

  test("SV28 a listed name that turns to cloud metadata leads nowhere", async () => {
    await allowing(`${NAME}, 169.254.0.0/16`);
    answers = [["169.254.169.254", "fd00:ec2::254"], ["127.0.0.1"]];
    expect(await call(proxy, asked(NAME))).toMatchObject({ fault: "not_public" });
    expect(lookups).toEqual([NAME]);
  });
});

describe("a request through the outbound proxy", () => {
  test("CB22 method, path, headers and body reach the receiver, with the host of the URL", async () => {
    const headers = { "content-type": "application/json", "webhook-signature": "v1,x" };
    const query = { url: urlOf("/204?a=b%20c") };
    expect(await call(proxy, query, headers)).toMatchObject({ fault: null });
    const answered = await call(proxy, { url: urlOf("/200"), body: '{"a":1}' }, headers);
    expect(answered).toMatchObject({ status: 200, fault: null });
    expect(receiver.seen[0]).toMatchObject({ path: "/204?a=b%20c" });
    expect(receiver.seen[1]).toMatchObject({
      method: "POST",
      path: "/200",
      body: '{"a":1}',
      headers: { ...headers, host: `${NAME}:${receiver.port}` },
    });
  });

  test("CB23 the receiver gets none of the headers for the proxy", async () => {
    await call(proxy, { url: urlOf("/200") });
    for (const name of Object.values(PROXY_HEADERS))
      expect(receiver.seen[0]?.headers).not.toHaveProperty(name);
    expect(JSON.stringify(receiver.seen)).not.toContain(proxy.secret);
  });

  test.for([200, 204, 301, 307, 404, 410, 429, 503])(
    "CB22 of the answer the status %i and Retry-After are passed on, and nothing else",
    async (status) => {
      const answered = await call(proxy, { url: urlOf(`/${status}`) });
      expect(answered).toMatchObject({ status, fault: null, body: "" });
      expect(answered.headers["retry-after"]).toBe("7");
      for (const name of ["set-cookie", "location"])
        expect(answered.headers).not.toHaveProperty(name);
    },
  );

  test("CB22 a redirect is not followed", async () => {
    await call(proxy, { url: urlOf("/302") });
    expect(receiver.seen.map(({ path }) => path)).toEqual(["/302"]);
  });

  test("CB22 a receiver that answers before it has read the body gives its status", async () => {
    receiver.server.removeAllListeners("request");
    receiver.server.on("request", (received, response) => {
      response.writeHead(413).end();
      received.resume();
    });
    const body = "x".repeat(4_000_000);
    expect(await call(proxy, { url: urlOf("/"), body })).toMatchObject({ status: 413 });
  });

  test("CB22 an endless answer is cut after its head", async () => {
    receiver.server.removeAllListeners("request");
    const cut = new Promise((done) => {
      receiver.server.on("request", (_, response) => {
        response.once("close", () => done("cut"));
        response.writeHead(200);
        const more = (): void => {
          while (response.write(Buffer.alloc(65_536)));
          response.once("drain", more);
        };
        more();
      });
    });
    expect(await call(proxy, { url: urlOf("/") })).toMatchObject({ status: 200, body: "" });
    expect(await cut).toBe("cut");
  });
});

describe("the address that the outbound proxy connects to", () => {
  test("CB21 a name that has another address a moment later is called at the address that was checked", async () => {
    answers = [["127.0.0.1"], ["10.0.0.1"]];
    expect(await call(proxy, { url: urlOf("/200") })).toMatchObject({ status: 200 });
    expect(lookups).toEqual([NAME]);
    expect(await call(proxy, { url: urlOf("/200") })).toMatchObject({ fault: "not_public" });
    expect(lookups).toEqual([NAME, NAME]);
    expect(receiver.connections).toBe(1);
  });

  test.for([
    ["127.0.0.1"],
    ["::ffff:127.0.0.1"],
    ["10.1.2.3", "::1"],
    ["fd00::1", "169.254.169.254"],
  ])("CB21 a name that resolves to %j is not connected to", async (found) => {
    answers = [found];
    const asked = { url: urlOf("/200"), allowLoopback: false };
    expect(await call(proxy, asked)).toMatchObject({ status: 403, fault: "not_public" });
    const { answer, socket } = await upgrade({ ...asked, url: urlOf("/socket") });
    expect(socket).toBeNull();
    expect(answer.headers[PROXY_HEADERS.fault]).toBe("not_public");
    expect(receiver.connections).toBe(0);
  });

  test("CB21 a private address beside one that is allowed is left out", async () => {
    answers = [["10.255.255.1", "127.0.0.1", "fd00::1"]];
    expect(await call(proxy, { url: urlOf("/200") })).toMatchObject({ status: 200 });
  });

  test.for([
    "http://10.0.0.1/",
    "http://[::ffff:127.0.0.1]/",
    "http://nas.lan/",
    "ftp://a.example.com/",
    "",
  ])("CB21 a URL that may not be called is refused: %s", async (url) => {
    expect(await call(proxy, { url })).toMatchObject({ status: 400, fault: "url_refused" });
    expect(lookups).toEqual([]);
  });

  test("CB2 this machine is called only when the Worker allows it", async () => {
    const url = urlOf("/200", "127.0.0.1");
    expect(await call(proxy, { url })).toMatchObject({ status: 200 });
    expect(await call(proxy, { url, allowLoopback: false })).toMatchObject({
      fault: "url_refused",
    });
  });

  test("CB21 a connection is not used for a second request", async () => {
    await call(proxy, { url: urlOf("/200") });
    await call(proxy, { url: urlOf("/200") });
    expect(receiver.connections).toBe(2);
  });

  test("CB21 a name without an address, and a closed port, can't be reached", async () => {
    answers = [[]];
    expect(await call(proxy, { url: urlOf("/200") })).toMatchObject({ fault: "unreachable" });
    const url = urlOf("/200", "127.0.0.1");
    receiver.stop();
    expect(await call(proxy, { url })).toMatchObject({ status: 502, fault: "unreachable" });
    expect((await upgrade({ url })).answer.headers[PROXY_HEADERS.fault]).toBe("unreachable");
  });
});

describe("the time of a request through the outbound proxy", () => {
  // Only timers that are set meanwhile: connections have their own.
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());
  const timeIsOver = (): void => void vi.advanceTimersByTime(20_000);

  test("CB22 a receiver that does not answer is given up, and its connection is closed", async () => {
    const asked = { url: urlOf("/silent") };
    const called = call(proxy, asked);
    await once(receiver.server, "request");
    timeIsOver();
    expect(await called).toMatchObject({ status: 504, fault: "timeout" });
    receiver.server.removeAllListeners("upgrade");
    const upgraded = upgrade(asked);
    const [, socket] = (await once(receiver.server, "upgrade")) as [IncomingMessage, Socket];
    const ended = once(socket.resume(), "end");
    timeIsOver();
    const { answer } = await upgraded;
    expect(answer.headers[PROXY_HEADERS.fault]).toBe("timeout");
    await ended;
  });

  test("CB22 a name that does not resolve in time is given up, and not called afterwards", async () => {
    proxy.stop();
    const asked = Promise.withResolvers<void>();
    const found = Promise.withResolvers<readonly LookupAddress[]>();
    proxy = await startOutboundProxy({ resolve: () => (asked.resolve(), found.promise) });
    const called = call(proxy, { url: urlOf("/200") });
    await asked.promise;
    timeIsOver();
    expect(await called).toMatchObject({ fault: "timeout" });
    found.resolve([address("127.0.0.1")]);
    await call(proxy, { url: urlOf("/201") });
    expect(receiver.seen.map(({ path }) => path)).toEqual(["/201"]);
  });

  test("CB22 a call that the Worker gives up is ended", async () => {
    const sent = ask(proxy, { url: urlOf("/silent") }).end();
    sent.on("error", () => {});
    const [socket] = (await once(receiver.server, "connection")) as [Socket];
    const closed = once(socket, "close");
    await once(receiver.server, "request");
    sent.destroy();
    await closed;
  });
});

describe("who may use the outbound proxy", () => {
  test.for([null, "", "0".repeat(64)])(
    "CB23 a caller without the secret is refused: %j",
    async (secret) => {
      const asked = { url: urlOf("/200"), secret };
      expect(await call(proxy, asked)).toMatchObject({ status: 403, fault: "forbidden" });
      const { answer, socket } = await upgrade({ ...asked, url: urlOf("/socket") });
      expect([answer.headers[PROXY_HEADERS.fault], socket]).toEqual(["forbidden", null]);
      expect([receiver.connections, lookups]).toEqual([0, []]);
    },
  );

  test("CB23 the secret of another start is refused", async () => {
    const earlier = await startOutboundProxy();
    earlier.stop();
    expect(earlier.secret).toMatch(/^[0-9a-f]{64}$/);
    const asked = { url: urlOf("/200"), secret: earlier.secret };
    expect(await call(proxy, asked)).toMatchObject({ fault: "forbidden" });
  });
});

describe("a WebSocket through the outbound proxy", () => {
  test("CB22 it is opened at the receiver, carries bytes both ways, and ends on both sides", async () => {
    const { answer, socket } = await upgrade({ url: urlOf("/socket") });
    expect(answer.statusCode).toBe(101);
    expect(answer.headers).toMatchObject({
      upgrade: "websocket",
      "sec-websocket-accept": "for KEY",
    });
    expect(answer.headers).not.toHaveProperty("set-cookie");
    expect(receiver.seen[0]?.headers).toMatchObject({ host: `${NAME}:${receiver.port}` });
    socket?.write("hello");
    const [echo] = (await once(socket as Socket, "data")) as [Buffer];
    expect(echo.toString()).toBe("hello");
    const [atReceiver] = receiver.sockets;
    const closed = once(atReceiver as Socket, "close");
    socket?.destroy();
    await closed;
  });

  test("CB22 it ends when the receiver ends it, and when the proxy stops", async () => {
    const first = (await upgrade({ url: urlOf("/socket") })).socket as Socket;
    const ended = once(first.resume(), "close");
    for (const socket of receiver.sockets) socket.destroy();
    await ended;
    const second = (await upgrade({ url: urlOf("/socket") })).socket as Socket;
    second.on("error", () => {});
    const stopped = once(second.resume(), "close");
    proxy.stop();
    await stopped;
  });

  test("CB22 a refusal is passed on as its status, and a redirect is not followed", async () => {
    const { answer, socket } = await upgrade({ url: urlOf("/elsewhere") });
    expect([answer.statusCode, socket]).toEqual([302, null]);
    expect(answer.headers).not.toHaveProperty("location");
    expect(receiver.seen).toHaveLength(1);
  });
});

describe("TLS through the outbound proxy", () => {
  const trusted = getCACertificates("default");
  let secure: TestReceiver;
  beforeEach(async () => {
    secure = await TestReceiver.start(true);
  });
  afterEach(() => {
    setDefaultCACertificates(trusted);
    secure.stop();
  });
  const over = (host: string, path = "/200"): string => `https://${host}:${secure.port}${path}`;

  test("CB22 the name of the URL is the one in the TLS handshake and the one that the certificate must have", async () => {
    setDefaultCACertificates([...trusted, CERTIFICATE]);
    for (const host of [NAME, `${NAME}.`])
      expect(await call(proxy, { url: over(host) })).toMatchObject({ status: 200 });
    expect(secure.seen.map(({ serverName }) => serverName)).toEqual([NAME, NAME]);
    expect((await upgrade({ url: over(NAME, "/socket") })).answer.statusCode).toBe(101);
    for (const host of ["other.example.com", "127.0.0.1"])
      expect(await call(proxy, { url: over(host) })).toMatchObject({ fault: "unreachable" });
    expect(secure.seen).toHaveLength(3);
  });

  test("CB22 a certificate that nobody trusts is refused", async () => {
    expect(await call(proxy, { url: over(NAME) })).toMatchObject({ fault: "unreachable" });
    expect(secure.seen).toEqual([]);
  });
});
