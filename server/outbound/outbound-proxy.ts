import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type ClientRequest, type IncomingMessage } from "node:http";
import { pipeline, type Duplex } from "node:stream";
import { err, ok, type Result } from "../../src/base/result.ts";
import { NO_OUTBOUND_ALLOW, type OutboundAllow } from "../../src/protocol/outbound-allow.ts";
import { outboundUrl } from "../../src/protocol/outbound-url.ts";
import { PROXY_HEADERS, type ProxyFault } from "../../src/protocol/outbound-proxy.ts";
import { listenOnLoopback } from "../loopback-server.ts";
import { checkedAddresses, systemResolve, type Resolve } from "./checked-addresses.ts";
import { forwardedRequest, receiverAnswer, headOfAnswer, type Target } from "./forwarding.ts";

/** Makes the requests of the Worker to URLs that callers gave (`protocol/outbound-proxy.ts`). */
export interface OutboundProxy {
  readonly url: string;
  /** New in each start. Only the Worker may have it: other programs on this machine must not use the proxy. */
  readonly secret: string;
  stop(): void;
}

export interface OutboundProxyOptions {
  /** Default: the resolver of the system. */
  readonly resolve?: Resolve | undefined;
  /** Hosts that are called although they are not public. Default: none. */
  readonly allow?: OutboundAllow | undefined;
}

/** The time for name, connection, request and the head of the answer. The Worker itself waits less. */
const TIMEOUT_MS = 20_000;
const SECRET_BYTES = 32;
const FAULT_STATUS: Readonly<Record<ProxyFault, number>> = {
  forbidden: 403,
  url_refused: 400,
  not_public: 403,
  unreachable: 502,
  timeout: 504,
};

/** Listens on the loopback interface. */
export async function startOutboundProxy({
  resolve = systemResolve,
  allow = NO_OUTBOUND_ALLOW,
}: OutboundProxyOptions = {}): Promise<OutboundProxy> {
  const secret = randomBytes(SECRET_BYTES).toString("hex");
  const call = (request: IncomingMessage, caller: Caller): void =>
    void makeCall({ request, secret, resolve, allow }, caller);

  const server = createServer((request, response) => {
    call(request, {
      isGone: () => response.destroyed,
      answer: (status, headers) => void response.writeHead(status, [...headers]).end(),
      begin: (upstream) => {
        response.once("close", () => upstream.destroy());
        upstream.once("close", () => request.unpipe(upstream).resume());
        request.pipe(upstream);
      },
    });
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", ignore);
    call(request, {
      isGone: () => socket.destroyed,
      answer: (status, headers) =>
        void socket.end(
          headOfAnswer(status, [...headers, "connection", "close", "content-length", "0"]),
        ),
      begin: (upstream) => {
        socket.once("close", () => upstream.destroy());
        upstream.once("upgrade", (accepted, receiver, receiverHead) => {
          socket.write(headOfAnswer(101, receiverAnswer(accepted)));
          socket.write(receiverHead);
          receiver.write(head);
          pipeline(socket, receiver, ignore);
          pipeline(receiver, socket, ignore);
        });
        upstream.end();
      },
    });
  });
  return { ...(await listenOnLoopback(server)), secret };
}

/** A broken connection ends both sides, which is all there is to do. */
const ignore = (): void => {};

interface Call {
  readonly request: IncomingMessage;
  readonly secret: string;
  readonly resolve: Resolve;
  readonly allow: OutboundAllow;
}

/** What differs between a plain request and an upgrade to a WebSocket. */
interface Caller {
  /** Whether the Worker has given up. */
  readonly isGone: () => boolean;
  readonly answer: (status: number, headers: readonly string[]) => void;
  /** Sends the request and connects both sides. */
  readonly begin: (upstream: ClientRequest) => void;
}

/** Makes one request. Of an answer that is no upgrade only the status and Retry-After are passed on: its body may be endless. */
async function makeCall(call: Call, { isGone, answer, begin }: Caller): Promise<void> {
  const { request } = call;
  let isAnswered = false;
  let upstream: ClientRequest | null = null;
  const end = (status: number, headers: readonly string[]): void => {
    clearTimeout(timer);
    if (!isAnswered) answer(status, headers);
    isAnswered = true;
    upstream?.destroy();
  };
  const fail = (fault: ProxyFault): void => end(FAULT_STATUS[fault], [PROXY_HEADERS.fault, fault]);
  const timer = setTimeout(() => fail("timeout"), TIMEOUT_MS);
  const target = await targetOf(call);
  if (!target.ok) return fail(target.error);
  if (isAnswered || isGone()) return clearTimeout(timer);
  upstream = forwardedRequest(request, target.value);
  upstream.once("close", () => clearTimeout(timer));
  upstream.once("upgrade", () => {
    clearTimeout(timer);
    isAnswered = true;
  });
  upstream.on("error", () => fail("unreachable"));
  upstream.once("response", (received) =>
    end(received.statusCode ?? 502, receiverAnswer(received)),
  );
  begin(upstream);
}

/** The URL that the Worker asks for, and the addresses to which a connection may be made. */
async function targetOf({
  request: { headers },
  secret,
  resolve,
  allow,
}: Call): Promise<Result<Target, ProxyFault>> {
  if (!isSame(String(headers[PROXY_HEADERS.secret] ?? ""), secret)) return err("forbidden");
  const allowLoopback = headers[PROXY_HEADERS.allowLoopback] === "true";
  const text = String(headers[PROXY_HEADERS.url] ?? "");
  const checked = outboundUrl(text, { schemes: ["https", "http"], allowLoopback, allow });
  if (!checked.ok) return err("url_refused");
  const url = new URL(checked.value);
  const addresses = await checkedAddresses(url, { allowLoopback, allow }, resolve);
  return addresses.ok ? ok({ url, addresses: addresses.value }) : addresses;
}

/** Compares in constant time. */
const isSame = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other));
const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
