/** The requests that the front answers itself, in front of workerd, which does not read them or answers them without a problem document. */
import { text } from "node:stream/consumers";
import type { IncomingMessage, ServerResponse } from "node:http";
import { toProblem, type MusterError } from "../../src/protocol/errors.ts";

/** The methods of the API. The front passes on no other: none of them has an effect. */
export const API_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
const isApiMethod = (method: string): boolean =>
  (API_METHODS as readonly string[]).includes(method);

/** An answer of the front. */
export interface FrontAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether the connection is closed: what follows on it cannot be told from the body. */
  readonly closes?: boolean;
}

/** The answer of the mesh to OPTIONS of a path, whose `Allow` lists its methods. */
export type AskOptions = (path: string) => Promise<IncomingMessage>;

/** The path of a request: of its target, which may be a URL as proxies get it. Null for any other target, such as `*`. */
export function pathOf(target: string): string | null {
  if (target.startsWith("/")) return target;
  if (!/^https?:/i.test(target) || !URL.canParse(target)) return null;
  const { pathname, search } = new URL(target);
  return `${pathname}${search}`;
}

/** Whether a URL can be made of the header `Host`. */
const isHost = (host: string): boolean => !/[/\\?#@]/.test(host) && URL.canParse(`http://${host}/`);

/** The answer to OPTIONS of the server as a whole. */
const SERVER_OPTIONS: FrontAnswer = {
  status: 204,
  headers: { Allow: API_METHODS.join(", ") },
  body: "",
};

/** A client behind a trusted proxy has too many requests and WebSockets open. */
export const TOO_MANY_OPEN: FrontAnswer = problemAnswer(
  {
    code: "rate_limited",
    detail: "this address has too many requests and WebSockets open; end some of them",
    retryAfter: 5,
  },
  { "Retry-After": "5" },
);

/** The mesh does not listen yet, or not any more. */
export const NOT_LISTENING: FrontAnswer = problemAnswer(
  {
    code: "unavailable",
    detail: "the mesh is starting or stopping; try again",
    retryAfter: 2,
  },
  { "Retry-After": "2" },
);

export const badRequest = (detail: string): FrontAnswer =>
  problemAnswer({ code: "invalid_request", detail });

/** The answer to a method that no path supports: 405 with those that this path supports, or that the path does not exist. */
export async function refusedMethod(
  method: string,
  target: string,
  ask: AskOptions,
): Promise<FrontAnswer> {
  const path = pathOf(target);
  // CONNECT names a host, which the mesh does not connect to.
  if (path === null) return notAllowed(method, "");
  const options = await ask(path);
  const { statusCode = 502, headers } = options;
  const body = await text(options);
  if (statusCode === 204) return notAllowed(method, headers.allow ?? "");
  return { status: statusCode, headers: { "Content-Type": headers["content-type"] ?? "" }, body };
}

/** The answer to a WebSocket that is opened with another method than GET. */
async function refusedUpgrade(
  method: string,
  target: string,
  ask: AskOptions,
): Promise<FrontAnswer> {
  const answer = await refusedMethod(method, target, ask);
  const allowed = answer.headers["Allow"]?.split(", ") ?? [];
  if (!allowed.includes(method)) return answer;
  return badRequest(`a WebSocket is opened with GET, not ${method}`);
}

const notAllowed = (method: string, allowed: string): FrontAnswer => {
  const only = allowed === "" ? "" : `, only ${allowed}`;
  const detail = `this path does not support ${method.slice(0, 40)}${only}`;
  return problemAnswer({ code: "method_not_allowed", detail }, { Allow: allowed });
};

function problemAnswer(error: MusterError, more: Record<string, string> = {}): FrontAnswer {
  const problem = toProblem(error);
  return {
    status: problem.status,
    headers: { ...more, "Content-Type": "application/problem+json", "Cache-Control": "no-store" },
    body: JSON.stringify(problem),
  };
}

/** How the front answers a request itself. */
export type Refusal = () => FrontAnswer | Promise<FrontAnswer>;

/** The front's own answer to a request; null if the mesh answers it. */
export function refusalOf(request: IncomingMessage, ask: AskOptions): Refusal | null {
  const { method = "GET", url = "/", headers, headersDistinct } = request;
  // Of several the mesh would take another than the one that was checked (RFC 9112 section 3.2).
  if ((headersDistinct["host"]?.length ?? 0) > 1)
    return () => badRequest("a request has one header Host, not several");
  if (headers.host === undefined) return () => badRequest("a request has the header Host");
  if (!isHost(headers.host)) return () => badRequest("the header Host names no host");
  // HTTP/1.0 has no chunks: a proxy may take them for the next request (RFC 9112 section 6.1).
  if (request.httpVersion === "1.0" && headers["transfer-encoding"] !== undefined)
    return () => ({
      ...badRequest("a request of HTTP/1.0 has no Transfer-Encoding"),
      closes: true,
    });
  if (!isApiMethod(method)) return () => refusedMethod(method, url, ask);
  if (pathOf(url) !== null) return null;
  if (url === "*" && method === "OPTIONS") return () => SERVER_OPTIONS;
  return () => badRequest("the target of a request is a path, such as /v1/mesh");
}

/** The same for a WebSocket, which only GET opens. */
export function refusedSocketOf(request: IncomingMessage, ask: AskOptions): Refusal | null {
  const { method = "GET", url = "/", headers } = request;
  if (method === "GET" || headers.upgrade?.toLowerCase() !== "websocket") return null;
  return () => refusedUpgrade(method, url, ask);
}

/** The answer; also while the mesh cannot be asked. */
export async function settled(refusal: Refusal): Promise<FrontAnswer> {
  try {
    return await refusal();
  } catch {
    return NOT_LISTENING;
  }
}

export async function respond(response: ServerResponse, refusal: Refusal): Promise<void> {
  const { status, headers, body, closes = false } = await settled(refusal);
  const length = status === 204 ? {} : { "Content-Length": Buffer.byteLength(body) };
  if (closes) response.shouldKeepAlive = false;
  response.writeHead(status, { ...headers, ...length }).end(body);
}
