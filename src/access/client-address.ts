/**
 * The address of a client: what the connection reports, or what a proxy that the operator trusts says. It is the only
 * source of addresses: of limits, of locations, and of what is shown of a peer.
 */
import { err, ok, type Result } from "../base/result.ts";
import {
  inRange,
  readIpv4,
  readIpv6,
  readRange,
  type Octets,
  type Range,
} from "../protocol/ip-address.ts";

/** Networks whose `X-Forwarded-For` is believed. */
export type TrustedProxies = readonly Range[];

export const TRUSTED_PROXIES_MAX = 64;
/** Hops that are read, from the last. A longer list is not read further: nobody has so many proxies. */
const HOPS_MAX = 32;
const ADDRESS_CHARS_MAX = 128;

/** The prefix of `::ffff:0:0/96` (RFC 4291 section 2.5.5.2). */
const IPV4_MAPPED: Octets = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

interface Parsed {
  readonly text: string;
  readonly octets: Octets;
}

/**
 * The address in a text as servers and proxies write it: with or without a port, brackets or a zone. IPv4 in IPv6
 * (`::ffff:192.0.2.1`) is that IPv4 address. Null for any other text.
 */
function parseAddress(text: string): Parsed | null {
  if (text.length > ADDRESS_CHARS_MAX) return null;
  const trimmed = text.trim();
  const ipv4 = /^([\d.]+)(?::\d{1,5})?$/.exec(trimmed)?.[1];
  if (ipv4 !== undefined) return parsedIpv4(ipv4);
  const inBrackets = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(trimmed)?.[1];
  const [bare = ""] = (inBrackets ?? trimmed).split("%", 1);
  // The URL standard writes an address in one form (RFC 5952).
  const url = `http://[${bare}]/`;
  if (!/^[\da-f:.]+$/i.test(bare) || !URL.canParse(url)) return null;
  const canonical = new URL(url).hostname.slice(1, -1);
  const octets = readIpv6(canonical);
  if (octets === null) return null;
  const isMapped = IPV4_MAPPED.every((octet, at) => octets[at] === octet);
  return isMapped ? parsedIpv4(octets.slice(12).join(".")) : { text: canonical, octets };
}

function parsedIpv4(text: string): Parsed | null {
  const octets = readIpv4(text);
  return octets === null ? null : { text, octets };
}

/** An address in its one canonical form; null if the text is none. */
export const readAddress = (text: string): string | null => parseAddress(text)?.text ?? null;

/**
 * The client's address. `connection` is the address that the connection comes from. If that is a trusted proxy, the address
 * is the last entry of `X-Forwarded-For` that is not a trusted proxy: every trusted proxy appends the address that it was
 * called from, and anything before that was sent by the client. An entry that is no address ends the search at the proxy
 * which passed it on. Empty if the connection's own address is unknown.
 */
export function clientAddress(
  connection: string,
  forwardedFor: string | null,
  trusted: TrustedProxies,
): string {
  let address = parseAddress(connection);
  if (address === null) return "";
  if (forwardedFor === null || trusted.length === 0) return address.text;
  const hops = forwardedFor.split(",");
  for (let read = 0; read < HOPS_MAX && hops.length > 0; read++) {
    if (!isTrusted(address, trusted)) break;
    const before = parseAddress(hops.pop() ?? "");
    if (before === null) break;
    address = before;
  }
  return address.text;
}

const isTrusted = ({ octets }: Parsed, trusted: TrustedProxies): boolean =>
  trusted.some((range) => inRange(octets, range));

/** Whether an address is one of a proxy whose `X-Forwarded-For` is believed. */
export function isTrustedProxy(text: string, trusted: TrustedProxies): boolean {
  const address = parseAddress(text);
  return address !== null && isTrusted(address, trusted);
}

/** Reads a list of addresses and networks (`10.0.0.0/8, ::1`); the error says which entry is neither. */
export function readTrustedProxies(text: string): Result<TrustedProxies, string> {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== "");
  if (entries.length > TRUSTED_PROXIES_MAX)
    return err(`has more than ${TRUSTED_PROXIES_MAX} entries`);
  const ranges: Range[] = [];
  for (const [index, entry] of entries.entries()) {
    const range = readRange(entry);
    if (range === null)
      return err(`has as entry ${index + 1} neither an address nor a network such as 10.0.0.0/8`);
    ranges.push(range);
  }
  return ok(ranges);
}

/** What counts as one caller, as keys of a table. */
export interface Networks {
  /** The /48 of an IPv6 address, the usual size of a site (RFC 6177); null for other addresses. */
  readonly site: string | null;
  /** One IPv4 address, or one /64 of IPv6, the smallest network of a subscriber. Unknown addresses count as one. */
  readonly network: string;
}

export function networksOf(address: string): Networks {
  const parsed = parseAddress(address);
  if (parsed === null) return { site: null, network: "unknown" };
  const { text, octets } = parsed;
  if (octets.length === 4) return { site: null, network: text };
  const key = (bytes: number): string => `${octets.slice(0, bytes).join(".")}/${bytes * 8}`;
  return { site: key(6), network: key(8) };
}
