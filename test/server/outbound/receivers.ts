import { once } from "node:events";
import {
  createServer,
  request,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { LookupAddress } from "node:dns";
import { text } from "node:stream/consumers";
import { PROXY_HEADERS } from "../../../src/protocol/outbound-proxy.ts";
import type { OutboundProxy } from "../../../server/outbound/outbound-proxy.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "./certificate.ts";

export interface SeenRequest {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly serverName: string | false | null | undefined;
}

/** A receiver on 127.0.0.1, over http or https, that records requests; `/NUMBER` answers with that status. */
export class TestReceiver {
  readonly seen: SeenRequest[] = [];
  readonly sockets = new Set<Duplex>();
  /** How many connections were made to it, also without a request. */
  connections = 0;
  readonly server: Server;

  private constructor(isTls: boolean) {
    const tls = { cert: CERTIFICATE, key: CERTIFICATE_KEY };
    this.server = isTls ? createTlsServer(tls) : createServer();
    this.server.on("connection", (socket: Socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.on("error", () => {});
    });
    this.server.on("request", (received: IncomingMessage, response: ServerResponse) => {
      void this.#answer(received, response);
    });
    this.server.on("upgrade", (received: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#record(received, "");
      if (received.url !== "/socket") {
        socket.end("HTTP/1.1 302 Found\r\nLocation: /socket\r\nContent-Length: 2\r\n\r\nno");
        return;
      }
      const accept = `Sec-WebSocket-Accept: for ${received.headers["sec-websocket-key"]}`;
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSet-Cookie: a=b\r\n${accept}\r\n\r\n`,
      );
      socket.write(head);
      socket.on("error", () => {}).pipe(socket);
    });
  }

  static async start(isTls = false): Promise<TestReceiver> {
    const receiver = new TestReceiver(isTls);
    receiver.server.listen(0, "127.0.0.1");
    await once(receiver.server, "listening");
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  stop(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  async #answer(received: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#record(received, await text(received));
    const status = Number.parseInt(received.url?.slice(1) ?? "", 10);
    if (Number.isNaN(status)) return; // no answer
    const headers = { "retry-after": "7", "set-cookie": "a=b", location: "/elsewhere" };
    response.writeHead(status, { ...headers, [PROXY_HEADERS.fault]: "forged" });
    response.end("a body that nobody reads");
  }

  #record(received: IncomingMessage, body: string): void {
    const { method, url: path, headers } = received;
    const { servername: serverName } = received.socket as Socket & { servername?: string | false };
    this.seen.push({ method, path, headers, body, serverName });
  }
}

export const address = (of: string): LookupAddress => ({
  address: of,
  family: of.includes(":") ? 6 : 4,
});

export interface Asked {
  readonly url: string;
  readonly allowLoopback?: boolean;
  readonly secret?: string | null;
  readonly method?: string;
  readonly body?: string;
}

/** The request to the proxy as the Worker sends it. */
export function ask(proxy: OutboundProxy, asked: Asked, headers: Record<string, string> = {}) {
  const { secret = proxy.secret, allowLoopback = true, method = "POST" } = asked;
  return request(proxy.url, {
    method,
    headers: {
      ...headers,
      [PROXY_HEADERS.url]: asked.url,
      [PROXY_HEADERS.allowLoopback]: String(allowLoopback),
      ...(secret !== null && { [PROXY_HEADERS.secret]: secret }),
    },
  });
}

export interface Answered {
  readonly status: number | undefined;
  readonly fault: unknown;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Sends a request through the proxy; resolves with its answer. */
export async function call(
  proxy: OutboundProxy,
  asked: Asked,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const sent = ask(proxy, asked, headers);
  // A body that is answered before it was read may not be written to its end.
  sent.on("error", () => {});
  sent.end(asked.body ?? "");
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const body = await text(answer);
  const { statusCode: status, headers: got } = answer;
  return { status, fault: got[PROXY_HEADERS.fault] ?? null, headers: got, body };
}
