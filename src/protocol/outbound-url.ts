/**
 * Which URLs the mesh may call on somebody else's word: callbacks, and peers that are dialled. Without this rule the mesh
 * would be a way into whatever network it runs in (server-side request forgery).
 *
 * The text is judged as the URL standard reads it, not as it is written: `http://0x7f.1`, `http://2130706433`,
 * `http://127.0.0.1.` and `http://①②⑦.1` all become 127.0.0.1 before anything is decided, and what is called is that
 * canonical form. A name that resolves to a private address passes here: nothing but the connection itself can tell (see
 * docs/security.md), and redirects are the fetcher's to refuse.
 */
import { err, ok, type Result } from "../base/result.ts";
import { isLoopback, isPublicIpv4, isPublicIpv6, readIpv4, readIpv6 } from "./ip-address.ts";

export type OutboundScheme = "https" | "http" | "wss" | "ws";

export interface OutboundRules {
  readonly schemes: readonly OutboundScheme[];
  /** Whether this machine itself may be called: for a mesh under test, never for one that strangers may give URLs. */
  readonly allowLoopback: boolean;
}

export interface OutboundFault {
  readonly code: "too_long" | "not_a_url" | "scheme" | "credentials" | "port" | "address" | "name";
  /** For people. */
  readonly detail: string;
}

export const OUTBOUND_URL_CHARS_MAX = 2_048;

/** The canonical form of a URL that may be called (without its fragment, which is never sent), or why it may not be. */
export function outboundUrl(text: string, rules: OutboundRules): Result<string, OutboundFault> {
  if (text.length > OUTBOUND_URL_CHARS_MAX)
    return fault("too_long", `a URL has at most ${OUTBOUND_URL_CHARS_MAX} characters`);
  // The parser would drop tabs, line breaks and outer spaces: what is called should be what was read.
  if (CONTROL_OR_SPACE.test(text) || !URL.canParse(text))
    return fault("not_a_url", "this is not an absolute URL");
  const url = new URL(text);
  const scheme = rules.schemes.find((known) => url.protocol === `${known}:`);
  if (scheme === undefined)
    return fault("scheme", `the URL must begin with ${rules.schemes.join(":// or ")}://`);
  if (url.username !== "" || url.password !== "")
    return fault("credentials", "a URL that is called holds no user name or password");
  if (!isCallablePort(url.port))
    return fault("port", `port ${url.port} is not called: use 80, 443, or one from 1024 up`);
  const host = checkHost(url.hostname, rules.allowLoopback);
  if (!host.ok) return host;
  url.hash = "";
  return ok(url.href);
}

// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const CONTROL_OR_SPACE = /[\u0000-\u0020\u007f]/;

/** A host as the URL parser wrote it: an IPv4 address in four decimals, an IPv6 address in brackets, or a name. */
function checkHost(host: string, allowLoopback: boolean): Result<void, OutboundFault> {
  const ipv4 = readIpv4(host);
  const ipv6 = host.startsWith("[") ? readIpv6(host.slice(1, -1)) : null;
  if (ipv4 !== null || ipv6 !== null) {
    const isPublic = ipv4 === null ? ipv6 !== null && isPublicIpv6(ipv6) : isPublicIpv4(ipv4);
    if (isPublic || (allowLoopback && isLoopback(ipv4 ?? ipv6 ?? []))) return ok(undefined);
    return fault("address", `${host} is no public address, and only those are called`);
  }
  const labels = host.toLowerCase().replace(/\.$/, "").split(".");
  if (labels.at(-1) === "localhost") {
    return allowLoopback
      ? ok(undefined)
      : fault("name", `${host} is this machine, which is not called`);
  }
  // A brackets' content that is no IPv6 address ends here, too.
  if (labels.length < 2 || labels.includes("") || LOCAL_NAMES.test(labels.join(".")))
    return fault("name", `${host} is no public name, and only those are called`);
  return ok(undefined);
}

/**
 * Names that no public DNS answers but local networks do: mDNS (RFC 6762), home networks (RFC 8375), ICANN's reservation
 * for private use, and what hosts files hold. A name of one label means something in a search list at best (RFC 7085).
 */
const LOCAL_NAMES = /(?:^|\.)(?:local|internal|home\.arpa|localdomain)$/;

/** Web servers' own ports, and those that need no privilege but for what browsers refuse as well. */
function isCallablePort(port: string): boolean {
  const number = port === "" ? 443 : Number(port);
  return number === 80 || number === 443 || (number >= 1_024 && !BAD_PORTS.has(number));
}

/** From 1024 up: ports of protocols that a request could be mistaken for (Fetch standard, "bad port"). */
const BAD_PORTS: ReadonlySet<number> = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669,
  6679, 6697, 10080,
]);

const fault = (code: OutboundFault["code"], detail: string): Result<never, OutboundFault> =>
  err({ code, detail });
