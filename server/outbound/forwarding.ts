import type { LookupAddress } from "node:dns";
import {
  request as httpRequest,
  STATUS_CODES,
  type ClientRequest,
  type IncomingMessage,
} from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { PROXY_HEADERS } from "../../src/protocol/outbound-proxy.ts";

export interface Target {
  readonly url: URL;
  /** The addresses to try, at least one. */
  readonly addresses: readonly LookupAddress[];
}

/** Headers of the connection to the proxy (RFC 9110 section 7.6.1), and those for the proxy. `Host` is that of the target. */
const NOT_FORWARDED: ReadonlySet<string> = new Set([
  "host",
  "keep-alive",
  "proxy-connection",
  "expect",
  ...Object.values(PROXY_HEADERS),
]);
/**
 * With "close", a receiver that answers before it has read the whole body may reset the connection, and its answer is lost. The
 * connection is closed after the answer in any case.
 */
const KEEP_ALIVE = ["connection", "keep-alive"];
/** What is passed back of an answer that is no upgrade: `Retry-After` can be a date, which is read by the clock of `Date`. */
const OF_ANSWER = /^(?:retry-after|date)$/;
/** What is passed back of an upgrade. */
const PASSED_BACK = /^(?:retry-after$|sec-websocket-|upgrade$|connection$)/;

/**
 * Begins the request to a target on a new connection to one of its addresses. `Host`, the name in the TLS handshake and the name
 * that the certificate must have are those of the URL.
 */
export function forwardedRequest(received: IncomingMessage, target: Target): ClientRequest {
  const { url, addresses } = target;
  const isUpgrade = received.headers.upgrade !== undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const name = host.replace(/\.$/, "");
  const headers = pairsOf(received.rawHeaders).filter(
    ([header]) => !NOT_FORWARDED.has(header) && (isUpgrade || header !== "connection"),
  );
  const options = {
    host,
    port: url.port === "" ? undefined : url.port,
    path: `${url.pathname}${url.search}`,
    method: received.method ?? "GET",
    headers: ["host", url.host, ...headers.flat(), ...(isUpgrade ? [] : KEEP_ALIVE)],
    lookup: lookupIn(addresses),
    // A connection that another request made, to the address that the name had then, is not used again.
    agent: false as const,
    // An address has no name in the TLS handshake (RFC 6066 section 3).
    servername: isIP(name) === 0 ? name : "",
  };
  return url.protocol === "https:" ? httpsRequest(options) : httpRequest(options);
}

/** Answers with the addresses that were checked, whatever the name. */
const lookupIn =
  (addresses: readonly LookupAddress[]): LookupFunction =>
  (_name, { all }, callback) => {
    const [first] = addresses;
    if (all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? "", first?.family);
  };

/** The headers of a receiver's answer that are passed to the Worker, names and values in turn. */
export function receiverAnswer(received: IncomingMessage): string[] {
  const isUpgrade = received.statusCode === 101;
  return pairsOf(received.rawHeaders)
    .filter(([name]) => (isUpgrade ? PASSED_BACK : OF_ANSWER).test(name))
    .flat();
}

/** The head of an answer on a connection that Node has given up to an upgrade. */
export function headOfAnswer(status: number, headers: readonly string[]): string {
  const lines = pairsOf(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, ...lines, "", ""].join("\r\n");
}

/** Headers as pairs, with the names in lower case. */
const pairsOf = (raw: readonly string[]): [name: string, value: string][] =>
  raw.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1] ?? ""]] : []));
