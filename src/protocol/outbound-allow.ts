/**
 * `OUTBOUND_ALLOW`: the hosts that callbacks and dials may reach although they are not public. An operator lists names, addresses and
 * networks; whoever gives a URL to the mesh can reach these and no other private address (`outbound-url.ts`).
 */
import { err, ok, type Result } from "../base/result.ts";
import { isMetadataAddress, isSingleHost } from "./address-purposes.ts";
import {
  inRange,
  readIpv6,
  readRange,
  readUrlHost,
  type Octets,
  type Range,
} from "./ip-address.ts";

/** A host that is listed with a port is reached at this port alone; null: at every port that the mesh calls. */
type Port = number | null;

export interface OutboundAllow {
  readonly names: readonly (readonly [name: string, port: Port])[];
  readonly addresses: readonly (readonly [octets: Octets, port: Port])[];
  readonly networks: readonly Range[];
}

export const NO_OUTBOUND_ALLOW: OutboundAllow = { names: [], addresses: [], networks: [] };

export const isAllowEmpty = ({ names, addresses, networks }: OutboundAllow): boolean =>
  names.length + addresses.length + networks.length === 0;

export const OUTBOUND_ALLOW_MAX = 100;
const ENTRY_CHARS_MAX = 300;

/** Host and port of a URL. */
export interface OutboundHost {
  /** As the URL standard writes it: an IPv4 address in dotted decimal, an IPv6 address in brackets, or a name. */
  readonly host: string;
  readonly port: number;
}

/** Host and port of a URL with the scheme http, https, ws or wss. */
export const outboundHostOf = ({ hostname, port, protocol }: URL): OutboundHost => ({
  host: hostname,
  port: port === "" ? (/^(?:https|wss):$/.test(protocol) ? 443 : 80) : Number(port),
});

/**
 * Whether the list has the host of a URL, by itself or by a network: "port" if an entry names the port, too, which is then called even if it is
 * one that the mesh does not call elsewhere.
 */
export function listingOf(
  allow: OutboundAllow,
  { host, port }: OutboundHost,
): "port" | "host" | null {
  const octets = readUrlHost(host);
  const ports =
    octets === null
      ? portsOf(allow.names, (name) => name === nameOf(host))
      : portsOf(allow.addresses, (address) => isSame(address, octets));
  if (ports.includes(port)) return "port";
  if (ports.includes(null)) return "host";
  return octets !== null && isInNetworks(allow, octets) ? "host" : null;
}

/**
 * Whether a connection to `address` may be made for a URL with this host. A name that is not listed leads to no listed address: anyone can
 * point a name of theirs there. A listed name leads to private addresses, but to one of cloud metadata only if that address is listed, too.
 */
export function isListedAddress(
  allow: OutboundAllow,
  { host, port }: OutboundHost,
  address: Octets,
): boolean {
  if (!isSingleHost(address) || listingOf(allow, { host, port }) === null) return false;
  const own = readUrlHost(host);
  if (own !== null) return isSame(own, address);
  if (!isMetadataAddress(address)) return true;
  const ports = portsOf(allow.addresses, (listed) => isSame(listed, address));
  return ports.includes(port) || ports.includes(null);
}

/** Reads a list with commas or spaces between its entries. The error says what is wrong with which entry, without its text. */
export function readOutboundAllow(text: string): Result<OutboundAllow, string> {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== "");
  if (entries.length > OUTBOUND_ALLOW_MAX)
    return err(`has more than ${OUTBOUND_ALLOW_MAX} entries`);
  const names: [string, Port][] = [];
  const addresses: [Octets, Port][] = [];
  const networks: Range[] = [];
  for (const [index, entry] of entries.entries()) {
    const read = entry.includes("/") ? readNetwork(entry) : readHost(entry);
    if (!read.ok) return err(`has as entry ${index + 1} ${read.error}`);
    if ("network" in read.value) networks.push(read.value.network);
    else if ("name" in read.value) names.push([read.value.name, read.value.port]);
    else addresses.push([read.value.octets, read.value.port]);
  }
  return ok({ names, addresses, networks });
}

function readNetwork(entry: string): Result<{ readonly network: Range }, string> {
  if (/^[a-z][a-z+.-]*:\/\//i.test(entry)) return err("a URL: list its host, or HOST:PORT");
  if (/\/\d*:/.test(entry)) return err("a network with a port: list each ADDRESS:PORT");
  const network = readRange(entry);
  if (network === null) return err("neither a host nor a network such as 10.0.0.0/8");
  const [octets, bits] = network;
  const first = octets.map(
    (octet, at) => octet & (0xff00 >> Math.min(8, Math.max(0, bits - at * 8))),
  );
  if (!isSame(first, octets))
    return err(`a network whose address has bits after the first ${bits}: write them as 0`);
  return ok({ network });
}

type Host =
  | { readonly name: string; readonly port: Port }
  | { readonly octets: Octets; readonly port: Port };

/** Reads HOST, HOST:PORT, [IPV6] or [IPV6]:PORT. */
function readHost(entry: string): Result<Host, string> {
  if (entry.includes("*")) return err("a wildcard: list each name");
  if (readIpv6(entry) !== null) return err("an IPv6 address without brackets: write [ADDRESS]");
  const [, host = "", digits] = /^(\[[^\]]*\]|[^:[\]]+)(?::(\d+))?$/.exec(entry) ?? [];
  if (host === "" || entry.length > ENTRY_CHARS_MAX)
    return err("neither HOST, HOST:PORT nor a network");
  const port = digits === undefined ? null : Number(digits);
  if (port !== null && (port < 1 || port > 65_535 || String(port) !== digits))
    return err("a port that is not a number from 1 to 65535");
  const url = `http://${host}/`;
  if (/[@?#\\%]/.test(host) || !URL.canParse(url)) return err("a host that no URL can have");
  const canonical = new URL(url).hostname;
  const octets = readUrlHost(canonical);
  if (octets === null) return readName(canonical, port);
  // Whoever writes 010.0.0.1 may mean 10.0.0.1 or 8.0.0.1. An IPv6 address has one meaning.
  if (octets.length === 4 && canonical !== host)
    return err("an address that is not in dotted decimal, as in 10.0.0.5");
  if (!isSingleHost(octets)) return err("an address that is not the one of a host");
  return ok({ octets, port });
}

/** The limits of DNS (RFC 1035 section 2.3.4). Names of one label are those of hosts files and containers. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const NAME_CHARS_MAX = 253;

function readName(canonical: string, port: Port): Result<Host, string> {
  const name = nameOf(canonical);
  const isName =
    name.length <= NAME_CHARS_MAX && name.split(".").every((label) => LABEL.test(label));
  return isName ? ok({ name, port }) : err("a name that DNS can't have");
}

/** A name without the dot that may end it. */
const nameOf = (host: string): string => host.toLowerCase().replace(/\.$/, "");

const isSame = (one: Octets, other: Octets): boolean =>
  one.length === other.length && one.every((octet, at) => octet === other[at]);

const portsOf = <Key>(
  entries: readonly (readonly [key: Key, port: Port])[],
  has: (key: Key) => boolean,
): readonly Port[] => entries.flatMap(([key, port]) => (has(key) ? [port] : []));

const isInNetworks = ({ networks }: OutboundAllow, octets: Octets): boolean =>
  isSingleHost(octets) &&
  !isMetadataAddress(octets) &&
  networks.some((network) => inRange(octets, network));
