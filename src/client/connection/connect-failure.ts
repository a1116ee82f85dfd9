import { redactUrl } from "../../base/redact.ts";
import { ProblemView } from "../../protocol/shapes/problem.ts";
import { readShape } from "../../base/shape/read-shape.ts";

/**
 * Why no session of a mesh began:
 * - `unreachable`: no connection to the server; `systemCode` says why where the runtime tells it (Node and Bun: ECONNREFUSED,
 *   ENOTFOUND), which browsers do not;
 * - `tls_failed`: the server's certificate is not trusted, or the server does not speak TLS;
 * - `no_answer`: the server took the connection and did not answer in time;
 * - `not_a_mesh`: what answers is no mesh: a page, another API, another protocol;
 * - `redirected`: the server redirects, which the SDK does not follow;
 * - `mesh_unavailable`: a mesh, or the proxy before it, says that it can't serve at present;
 * - `version_unsupported`: the mesh does not speak the protocol that was asked for;
 * - `websocket_failed`: the mesh answers requests, and the WebSocket failed: a proxy may not pass WebSockets on.
 */
export type ConnectFailureCode =
  | "unreachable"
  | "tls_failed"
  | "no_answer"
  | "not_a_mesh"
  | "redirected"
  | "mesh_unavailable"
  | "version_unsupported"
  | "websocket_failed";

/** A value, so that programs can tell the reasons apart. `message` is for people, and names the URL. */
export interface ConnectFailure {
  readonly code: ConnectFailureCode;
  readonly message: string;
  /** The error code of the system or of TLS. */
  readonly systemCode?: string;
  /** The HTTP status of what answered. */
  readonly status?: number;
}

/** What Node and Bun report when the certificate or the TLS handshake is the reason. */
const TLS_CODE =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO$)/;
/** The name of Node's error about a server that speaks, and not HTTP. */
const NOT_HTTP = "HTTPParserError";

/** The reason why a request had no answer. */
export function failureOfError(url: string, error: unknown, timeoutMs: number): ConnectFailure {
  const base = redactUrl(url);
  if (error instanceof DOMException && error.name === "TimeoutError")
    return {
      code: "no_answer",
      message: `${base} did not answer within ${timeoutMs / 1_000} s`,
    };
  if (causesOf(error).some(({ name }) => name === NOT_HTTP))
    return {
      code: "not_a_mesh",
      message: `${base} is no Muster mesh: the server does not speak HTTP`,
    };
  const systemCode = systemCodeOf(error);
  if (systemCode === null) return { code: "unreachable", message: `cannot reach ${base}` };
  if (TLS_CODE.test(systemCode))
    return {
      code: "tls_failed",
      message: `cannot reach ${base}: the TLS of the server is not trusted or not valid (${systemCode})`,
      systemCode,
    };
  return { code: "unreachable", message: `cannot reach ${base} (${systemCode})`, systemCode };
}

/** The code of an error, or of the errors that caused it. */
function systemCodeOf(error: unknown): string | null {
  for (const { code } of causesOf(error))
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]{2,63}$/.test(code)) return code;
  return null;
}

interface Cause {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

const CAUSES_MAX = 5;

/** An error and what caused it. Of several attempts, such as one per address of a host, the first. */
function causesOf(error: unknown): readonly Cause[] {
  const causes: Cause[] = [];
  let at = error;
  while (typeof at === "object" && at !== null && causes.length < CAUSES_MAX) {
    const cause = at as Cause;
    causes.push(cause);
    at = cause.cause ?? cause.errors?.[0];
  }
  return causes;
}

interface Answered {
  readonly url: string;
  readonly response: Pick<Response, "status" | "type" | "headers">;
  /** The body as JSON; undefined if it is not. */
  readonly body: unknown;
}

/** The reason why an answer is none of a mesh that serves. */
export function failureOfAnswer({ url, response, body }: Answered): ConnectFailure {
  const base = redactUrl(url);
  const { status } = response;
  if (response.type === "opaqueredirect" || (status >= 300 && status < 400))
    return {
      code: "redirected",
      message: `${base} redirects${targetOf(url, response)}; use the URL of the mesh itself`,
      status,
    };
  const problem = readShape(ProblemView, body);
  if (problem.ok) {
    const { code, detail } = problem.value;
    return { code: "mesh_unavailable", message: `${base} answers ${code}: ${detail}`, status };
  }
  if (UNAVAILABLE.has(status))
    return {
      code: "mesh_unavailable",
      message: `${base} answers HTTP ${status}: the mesh behind the server is not available`,
      status,
    };
  const what = `HTTP ${status}, ${mediaTypeOf(response)}`;
  return { code: "not_a_mesh", message: `${base} is no Muster mesh (${what})`, status };
}

/** What proxies answer when the server behind them does not. */
const UNAVAILABLE: ReadonlySet<number> = new Set([
  502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 530,
]);

/** Where a redirect leads. Browsers do not tell. */
function targetOf(url: string, { headers }: Pick<Response, "headers">): string {
  const location = headers.get("location");
  if (location === null || !URL.canParse(location, url)) return "";
  return ` to ${redactUrl(new URL(location, url).href)}`;
}

function mediaTypeOf({ headers }: Pick<Response, "headers">): string {
  const [type = ""] = (headers.get("content-type") ?? "").split(";");
  return /^[\w.+/-]{1,80}$/.test(type.trim()) ? type.trim() : "no media type";
}
