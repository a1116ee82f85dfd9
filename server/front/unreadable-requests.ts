/** What Node's server does not read as a request: unknown methods, CONNECT, and what is no HTTP. */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import {
  badRequest,
  refusedMethod,
  settled,
  type AskOptions,
  type FrontAnswer,
  type Refusal,
} from "./refused-requests.ts";

/** Answers on a socket, and closes it. */
type AnswerOn = (socket: Duplex, refusal: Refusal) => void;

/** Answers what the server does not read. Returns what answers on a socket that the server has given up. */
export function answerUnreadable(server: Server, ask: AskOptions): AnswerOn {
  /** How many requests of a socket have no answer yet: what is written to it would be taken for the answer of the first. */
  const waiting = new WeakMap<Duplex, number>();
  server.on("request", ({ socket }, response) => {
    waiting.set(socket, (waiting.get(socket) ?? 0) + 1);
    response.once("close", () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1));
  });
  const answerOn: AnswerOn = (socket, refusal) => {
    socket.on("error", () => {});
    if (!socket.writable || (waiting.get(socket) ?? 0) > 0) socket.destroy();
    else void settled(refusal).then((answer) => endWith(socket, answer));
  };
  server.on("connect", ({ url = "" }: IncomingMessage, socket: Duplex) => {
    answerOn(socket, () => refusedMethod("CONNECT", url, ask));
  });
  server.on("clientError", (error: ParseError, socket: Duplex) => {
    answerOn(socket, () => answerTo(error, ask));
  });
  return answerOn;
}

/** What Node's parser reports of a request that it cannot read. */
interface ParseError extends Error {
  readonly code: string;
  readonly rawPacket: Buffer;
}

/** The answer to what is no request, or has a method that Node does not know, such as one in lower case. */
function answerTo({ code, rawPacket }: ParseError, ask: AskOptions): ReturnType<Refusal> {
  const line = code === "HPE_INVALID_METHOD" ? requestLineOf(rawPacket) : null;
  if (line !== null) return refusedMethod(line.method, line.target, ask);
  if (code === "HPE_HEADER_OVERFLOW") return { status: 431, headers: {}, body: "" };
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return { status: 408, headers: {}, body: "" };
  return badRequest("this is not a request of HTTP/1.1");
}

/** Method and target of a request that Node's parser refuses for its method; null if there is no such line. */
function requestLineOf(packet: Buffer): { method: string; target: string } | null {
  const line = packet.subarray(0, REQUEST_LINE_MAX).toString("latin1");
  const found = /^(?:\r?\n)*([!#$%&'*+.^_`|~\w-]+) ([!-~]+) HTTP\/1\.[01]\r?\n/.exec(line);
  return found === null ? null : { method: found[1] ?? "", target: found[2] ?? "" };
}
const REQUEST_LINE_MAX = 8_192;

/** Writes an answer to a socket without a parser, and closes it. */
function endWith(socket: Duplex, { status, headers, body }: FrontAnswer): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const head = `HTTP/1.1 ${status} ${REASONS[status] ?? "Refused"}\r\n${lines.join("")}${length}`;
  socket.on("error", () => {});
  socket.end(`${head}Connection: close\r\n\r\n${body}`);
  destroySoon(socket);
}

/** Ends a socket that has its answer. What the client still sends is read: else its system would drop the answer. It may not keep the socket open. */
export function destroySoon(socket: Duplex): void {
  socket.resume();
  setTimeout(() => socket.destroy(), CLOSE_DELAY_MS).unref();
}
const CLOSE_DELAY_MS = 1_000;
const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  502: "Bad Gateway",
  503: "Service Unavailable",
};
