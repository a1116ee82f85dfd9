import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTlsServer } from "node:https";
import { pipeline, type Duplex } from "node:stream";
import type { PageOrigins } from "../../src/access/page-origins.ts";
import type { ConnectionLimit } from "./connection-limit.ts";
import { drainBody } from "./drained-body.ts";
import { MeshAgent } from "./mesh-socket.ts";
import { listenFailure } from "../../src/cli/ports.ts";
import { trackConnections } from "../open-connections.ts";
import type { TlsCertificate } from "../tls.ts";
import { CONNECTION_HEADER } from "../workerd-config.ts";
import { isForeignPage } from "./page-origin.ts";
import { answerUnreadable, destroySoon } from "./unreadable-requests.ts";
import {
  pathOf,
  refusalOf,
  refusedSocketOf,
  respond,
  NOT_LISTENING,
  TOO_MANY_OPEN,
  type FrontAnswer,
} from "./refused-requests.ts";

/** Passes requests to the local mesh. */
export interface Front {
  readonly port: number;
  /** Accepts no connection and no WebSocket any more. Those that are open go on. */
  refuseNew(): void;
  setTls(certificate: TlsCertificate): void;
  /** Resolves when the WebSockets that are open now have closed. */
  closed(): Promise<void>;
  stop(): void;
}

export interface FrontOptions {
  readonly host: string;
  /** 0 selects a free port. */
  readonly port: number;
  /** What the user wrote to set them, for errors; default: the flags. */
  readonly named?: { readonly host: string; readonly port: string };
  /** The Unix socket on which the mesh listens. */
  readonly mesh: string;
  /** The web pages that may open WebSockets; default: all. */
  readonly pages?: PageOrigins | null;
  /** Without it the front speaks HTTP. */
  readonly tls?: TlsCertificate | null;
  /** What one address may have open; default: any number. */
  readonly limit?: ConnectionLimit;
  readonly timeouts?: Partial<FrontTimeouts>;
}

/** How long a client may keep a connection without use, in milliseconds. */
interface FrontTimeouts {
  /** Until its TLS handshake is finished. */
  readonly handshake: number;
  /** Until the headers of a request have come. */
  readonly headers: number;
  /** While it neither sends nor reads. A waiting request is answered within a minute, and event streams are never silent for longer. */
  readonly stalled: number;
}
const TIMEOUTS: FrontTimeouts = { handshake: 10_000, headers: 20_000, stalled: 120_000 };
/** How often the headers' time is looked at. */
const CHECK_INTERVAL_MS = 5_000;

/** workerd closes an idle connection after 5 s. The front closes it before that: a request on a closed one would fail. */
const IDLE_TIMEOUT_MS = 4_000;

const SOCKET_LISTENERS_MAX = 20;

/** Headers of one connection, which are not passed on (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection"]);
/** In these the mesh is told the address of a client. */
const RESERVED: ReadonlySet<string> = new Set([CONNECTION_HEADER, "cf-connecting-ip"]);

/**
 * Listens in front of workerd, whose socket only the user of this process can open, and tells it the address of each client.
 */
export async function startFront(options: FrontOptions): Promise<Front> {
  const { mesh, pages = null, tls = null, limit } = options;
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const agent = new MeshAgent({ keepAlive: true, timeout: IDLE_TIMEOUT_MS });
  const forward = (request: IncomingMessage, keep: boolean) =>
    httpRequest({
      socketPath: mesh,
      method: request.method ?? "GET",
      path: pathOf(request.url ?? "/") ?? "/",
      headers: requestHeaders(request, keep),
      // The body that an upgrade request may announce is not passed on: what followed on its connection would be taken for it.
      agent: keep ? false : agent,
    });
  const askOptions = async (path: string): Promise<IncomingMessage> => {
    const asked = httpRequest({
      socketPath: mesh,
      method: "OPTIONS",
      path,
      headers: { host: "localhost" },
      agent,
    });
    const [answer] = (await once(asked.end(), "response")) as [IncomingMessage];
    return answer;
  };
  const upgraded = new Set<Duplex>();
  /** Called when the last upgraded connection has closed. */
  const whenClosed: (() => void)[] = [];
  /** Returns what is called when the request ends; null if its client has too many open. */
  const admit = (request: IncomingMessage) =>
    limit === undefined ? ignore : limit.openRequest(request);
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const refusal = refusalOf(request, askOptions);
    if (refusal !== null) {
      void respond(response, refusal);
      return;
    }
    const release = admit(request);
    if (release === null) {
      void respond(response, () => TOO_MANY_OPEN);
      return;
    }
    response.once("close", release);
    const upstream = forward(request, false);
    // The mesh may answer before it has read the body: what is left of it is dropped.
    const endRequest = () => {
      request.unpipe(upstream);
      drainBody(request);
    };
    const writeHead = (status: number, headers: string[]) => {
      // Else Node would close the connection while the client sends, and with that reset it.
      if (!request.complete && request.httpVersion !== "1.0") response.shouldKeepAlive = true;
      response.writeHead(status, headers);
    };
    upstream.once("response", (answer) => {
      writeHead(answer.statusCode ?? 502, passedOn(answer.rawHeaders, HOP_BY_HOP));
      pipeline(answer, response, ignore);
      answer.once("end", endRequest);
    });
    upstream.on("error", () => {
      if (!response.headersSent) {
        const { status, headers, body } = NOT_LISTENING;
        writeHead(status, Object.entries(headers).flat());
        response.end(body);
        endRequest();
      } else if (!response.writableEnded) response.destroy();
    });
    response.once("close", () => upstream.destroy());
    request.once("error", ignore).pipe(upstream);
  };
  const serverOptions = {
    // The front refuses a request without it itself, with a reason.
    requireHostHeader: false,
    headersTimeout: timeouts.headers,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, timeouts.headers),
  };
  const tlsServer =
    tls === null
      ? null
      : createTlsServer(
          { ...tls, ...serverOptions, handshakeTimeout: timeouts.handshake },
          onRequest,
        );
  const server: Server = tlsServer ?? createServer(serverOptions, onRequest);
  server.timeout = timeouts.stalled;
  limit?.guard(server);
  const destroyConnections = trackConnections(server);
  let refusesNew = false;
  const answerOn = answerUnreadable(server, askOptions);
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (pages !== null && isForeignPage(pages, request.headers.origin)) {
      answerOn(socket, () => FOREIGN_PAGE);
      return;
    }
    if (refusesNew) {
      answerOn(socket, () => RESTARTING);
      return;
    }
    const refusal = refusalOf(request, askOptions) ?? refusedSocketOf(request, askOptions);
    if (refusal !== null) {
      answerOn(socket, refusal);
      return;
    }
    const release = admit(request);
    if (release === null) {
      answerOn(socket, () => TOO_MANY_OPEN);
      return;
    }
    // Sessions have heartbeats of their own.
    request.socket.setTimeout(0);
    const upstream = forward(request, true);
    socket.once("error", () => upstream.destroy());
    socket.once("close", () => {
      release();
      upstream.destroy();
      upgraded.delete(socket);
      if (upgraded.size === 0) for (const resolve of whenClosed.splice(0)) resolve();
    });
    upstream.once("error", () => {
      if (upgraded.has(socket)) socket.destroy();
      else answerOn(socket, () => NOT_LISTENING);
    });
    upstream.once("response", (answer) => refuse(answer, socket));
    upstream.once("upgrade", (answer, meshSocket, meshHead) => {
      upgraded.add(socket);
      // Two pipelines between the same sockets add more listeners than the ten at which Node warns of a leak.
      for (const end of [socket, meshSocket]) end.setMaxListeners(SOCKET_LISTENERS_MAX);
      socket.write(headOf(answer, answer.rawHeaders));
      socket.write(meshHead);
      meshSocket.write(head);
      pipeline(socket, meshSocket, ignore);
      pipeline(meshSocket, socket, ignore);
    });
    upstream.end();
  });
  await listenOn(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    refuseNew: () => {
      refusesNew = true;
      server.close();
      server.closeIdleConnections();
    },
    setTls: (certificate) => tlsServer?.setSecureContext(certificate),
    closed: () =>
      upgraded.size === 0 ? Promise.resolve() : new Promise((resolve) => whenClosed.push(resolve)),
    stop: () => {
      server.close();
      destroyConnections();
      agent.destroy();
    },
  };
}

async function listenOn(server: Server, { host, port, named }: FrontOptions): Promise<void> {
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, "listening");
  } catch (error) {
    throw listenFailure(error, host, port, named);
  }
}

const RESTARTING: FrontAnswer = {
  status: 503,
  headers: { "Content-Type": "text/plain", "Retry-After": "2" },
  body: "the mesh restarts",
};

const FOREIGN_PAGE: FrontAnswer = {
  status: 403,
  headers: { "Content-Type": "text/plain" },
  body: "only pages that CORS_ORIGINS lists may connect: add the origin of this page to it, or name the proxies in front of the mesh in TRUSTED_PROXIES",
};

/** A broken connection ends both sides, which is all there is to do. */
const ignore = (): void => {};

/** The mesh did not accept the upgrade: its answer is passed on, and the connection closed. */
function refuse(answer: IncomingMessage, socket: Duplex): void {
  const headers = passedOn(answer.rawHeaders, new Set([...HOP_BY_HOP, "transfer-encoding"]));
  socket.write(headOf(answer, [...headers, "connection", "close"]));
  pipeline(answer, socket, () => destroySoon(socket));
}

function requestHeaders(request: IncomingMessage, keepsConnection: boolean): string[] {
  const headers = passedOn(request.rawHeaders, keepsConnection ? new Set() : HOP_BY_HOP);
  const address = (request.socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
  return [...headers, CONNECTION_HEADER, JSON.stringify({ clientIp: address })];
}

/** Names and values in turn, without the reserved ones and those to drop. */
const passedOn = (raw: readonly string[], drop: ReadonlySet<string>): string[] =>
  raw.filter((_, n) => {
    const name = (raw[n - (n % 2)] as string).toLowerCase();
    return !drop.has(name) && !RESERVED.has(name);
  });

const headOf = ({ statusCode, statusMessage }: IncomingMessage, raw: readonly string[]): string => {
  const lines = raw.flatMap((name, n) => (n % 2 === 0 ? [`${name}: ${raw[n + 1] ?? ""}`] : []));
  return [`HTTP/1.1 ${statusCode} ${statusMessage}`, ...lines, "", ""].join("\r\n");
};
