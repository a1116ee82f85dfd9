/**
 * Which URLs the mesh may call on behalf of a caller: callbacks, and addresses of peers to dial. Without this check a
 * caller could reach the internal network in which the mesh runs (server-side request forgery, SSRF).
 *
 * The check applies to the URL as the URL standard parses it: `http://0x7f.1`, `http://2130706433`, `http://127.0.0.1.`
 * and `http://①②⑦.1` all become 127.0.0.1 first, and the mesh calls that canonical form. The check does not resolve
 * names, so it accepts a name that resolves to a private address: that is refused by what makes the connection
 * (`durable/outbound-fetch.ts`), which must also refuse redirects.
 */
import { err, ok, type Result } from "../base/result.ts";
import { isCallableAddress, readUrlHost } from "./ip-address.ts";
import { listingOf, outboundHostOf, type OutboundAllow } from "./outbound-allow.ts";
import { portFault } from "./outbound-ports.ts";
import { isPublicName } from "./public-name.ts";

export type OutboundScheme = "https" | "http" | "wss" | "ws";

export interface OutboundRules {
  readonly schemes: readonly OutboundScheme[];
  /** Whether loopback addresses are allowed: only for a mesh under test, never when untrusted callers may give URLs. */
  readonly allowLoopback: boolean;
  /** Hosts that are allowed although they are not public. */
  readonly allow: OutboundAllow;
}

export interface OutboundFault {
  readonly code: "too_long" | "not_a_url" | "scheme" | "credentials" | "port" | "address" | "name";
  /** For people. */
  readonly detail: string;
}

export const OUTBOUND_URL_CHARS_MAX = 2_048;

/** The canonical form of an allowed URL (without its fragment, which is never sent), or the reason why it is refused. */
export function outboundUrl(text: string, rules: OutboundRules): Result<string, OutboundFault> {
  if (text.length > OUTBOUND_URL_CHARS_MAX) return TOO_LONG;
  // The parser drops tabs, line breaks and outer spaces. The URL that is called must equal the URL that was given.
  if (CONTROL_OR_SPACE.test(text) || !URL.canParse(text))
    return fault("not_a_url", "not an absolute URL");
  const url = new URL(text);
  const scheme = rules.schemes.find((known) => url.protocol === `${known}:`);
  if (scheme === undefined)
    return fault("scheme", `the URL must begin with ${rules.schemes.join(":// or ")}://`);
  if (url.username !== "" || url.password !== "")
    return fault("credentials", "the URL must not contain a user name or password");
  const listing = listingOf(rules.allow, outboundHostOf(url));
  const refusedPort = listing === "port" ? null : portFault(url.port);
  if (refusedPort !== null) return fault("port", `port ${url.port} is not allowed: ${refusedPort}`);
  const host = listing === null ? checkHost(url.hostname, rules.allowLoopback) : ok(undefined);
  if (!host.ok) return host;
  url.hash = "";
  // The canonical form may be longer: it is percent-encoded.
  return url.href.length > OUTBOUND_URL_CHARS_MAX ? TOO_LONG : ok(url.href);
}

// oxlint-disable-next-line no-control-regex -- the pattern is meant to match control characters
const CONTROL_OR_SPACE = /[\u0000-\u0020\u007f]/;

/** Checks a host as the URL parser writes it: an IPv4 address in dotted decimal, an IPv6 address in brackets, or a name. */
function checkHost(host: string, allowLoopback: boolean): Result<void, OutboundFault> {
  const address = readUrlHost(host);
  if (address !== null) {
    if (isCallableAddress(address, allowLoopback)) return ok(undefined);
    return fault("address", `${host} is not a public address`);
  }
  const labels = host.toLowerCase().replace(/\.$/, "").split(".");
  if (labels.at(-1) === "localhost") {
    return allowLoopback
      ? ok(undefined)
      : fault("name", `${host} is a loopback name, which is not allowed`);
  }
  // Bracketed text that is not an IPv6 address is also refused here.
  if (!isPublicName(labels)) return fault("name", `${host} is not a public name`);
  return ok(undefined);
}

const fault = (code: OutboundFault["code"], detail: string): Result<never, OutboundFault> =>
  err({ code, detail });

const TOO_LONG = fault("too_long", `a URL has at most ${OUTBOUND_URL_CHARS_MAX} characters`);
