/**
 * Which IP addresses belong to the public internet, by IANA's special-purpose registries (RFC 6890 and its updates). An
 * address is the list of its 4 or 16 octets.
 */
export type Octets = readonly number[];

/** The octets of an IPv4 address in dotted decimal, as a URL parser writes it; null for any other text. */
export function readIpv4(text: string): Octets | null {
  if (!/^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text)) return null;
  const octets = text.split(".").map(Number);
  return octets.every((octet) => octet <= 255) ? octets : null;
}

/** The octets of an IPv6 address (RFC 4291 §2.2) without a zone; null for any other text. */
export function readIpv6(text: string): Octets | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [before = "", after] = halves;
  const left = groupsOf(before);
  const right = after === undefined ? [] : groupsOf(after);
  if (left === null || right === null) return null;
  const missing = 8 - left.length - right.length;
  if (after === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...left, ...Array.from({ length: missing }, () => 0), ...right];
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
}

function groupsOf(text: string): readonly number[] | null {
  if (text === "") return [];
  const groups = text.split(":");
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return groups.map((group) => Number.parseInt(group, 16));
}

/** The octets of an address of either version, as a resolver writes it. */
export const readIp = (text: string): Octets | null => readIpv4(text) ?? readIpv6(text);

/** The octets of a host as a URL parser writes it: an IPv6 address in brackets; null for a name. */
export const readUrlHost = (host: string): Octets | null =>
  host.startsWith("[") ? readIpv6(host.slice(1, -1)) : readIpv4(host);

/** A range of addresses in CIDR terms: the prefix and its length in bits. */
export type Range = readonly [prefix: Octets, bits: number];

/** The range of a network such as `10.0.0.0/8`, or of a single address; null for any other text. */
export function readRange(text: string): Range | null {
  const [, address = "", bits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const octets = readIp(address);
  if (octets === null) return null;
  const length = octets.length * 8;
  const prefix = bits === undefined ? length : Number(bits);
  return prefix <= length ? [octets, prefix] : null;
}

const IPV4_NOT_PUBLIC: readonly Range[] = [
  [[0], 8], // this network (RFC 791)
  [[10], 8], // private (RFC 1918)
  [[100, 64], 10], // carrier-grade NAT (RFC 6598)
  [[127], 8], // loopback (RFC 1122)
  [[168, 63, 129, 16], 32], // Azure's own services, which are reached from machines of Azure alone
  [[169, 254], 16], // link-local (RFC 3927), which includes cloud metadata services
  [[172, 16], 12], // private
  [[192, 0, 0], 24], // IETF protocol assignments (RFC 6890)
  [[192, 0, 2], 24], // documentation (RFC 5737)
  [[192, 88, 99], 24], // 6to4 relays (RFC 7526)
  [[192, 168], 16], // private
  [[198, 18], 15], // benchmarks (RFC 2544)
  [[198, 51, 100], 24], // documentation
  [[203, 0, 113], 24], // documentation
  [[224], 4], // multicast (RFC 5771)
  [[240], 4], // reserved (RFC 1112), broadcast
];

/**
 * Global unicast as IANA allocates it (RFC 4291 §2.4). Everything else is refused: unspecified, loopback, link-local,
 * unique-local and multicast addresses, and IPv4-mapped (`::ffff:0:0/96`), IPv4-compatible (`::/96`) and translated
 * (`64:ff9b::/96`, `64:ff9b:1::/48`) ones, which lead to the embedded IPv4 address.
 */
const IPV6_GLOBAL: Range = [[0x20], 3];
const IPV6_NOT_PUBLIC: readonly Range[] = [
  [[0x20, 0x01, 0x00], 23], // IETF protocol assignments (RFC 2928), among them Teredo, which carries an IPv4 address
  [[0x20, 0x01, 0x0d, 0xb8], 32], // documentation (RFC 3849)
  [[0x20, 0x02], 16], // 6to4 (RFC 3056), which carries an IPv4 address
  [[0x3f, 0xff, 0x00], 20], // documentation (RFC 9637)
];

const isPublicIpv4 = (address: Octets): boolean =>
  !IPV4_NOT_PUBLIC.some((range) => within(address, range));

const isPublicIpv6 = (address: Octets): boolean =>
  within(address, IPV6_GLOBAL) && !IPV6_NOT_PUBLIC.some((range) => within(address, range));

/** 127.0.0.0/8 and ::1. An IPv4-mapped address is not loopback. */
const isLoopback = (address: Octets): boolean =>
  address.length === 4
    ? address[0] === 127
    : address.length === 16 && address.every((octet, at) => octet === (at === 15 ? 1 : 0));

/** Whether a host is this machine: an address of the loopback interface, or `localhost`. Another name may lead anywhere. */
export function isLoopbackHost(host: string): boolean {
  const octets = readIpv4(host) ?? readIpv6(host);
  return octets === null ? host.toLowerCase() === "localhost" : isLoopback(octets);
}

/** Whether the mesh may connect to an address on behalf of a caller: a public one, or one of this machine where that is allowed. */
export const isCallableAddress = (address: Octets, allowLoopback: boolean): boolean =>
  (address.length === 4 ? isPublicIpv4(address) : isPublicIpv6(address)) ||
  (allowLoopback && isLoopback(address));

/** Whether an address lies in a range of the same version. */
export const inRange = (address: Octets, range: Range): boolean =>
  address.length === range[0].length && within(address, range);

function within(address: Octets, [prefix, bits]: Range): boolean {
  for (let bit = 0; bit < bits; bit += 8) {
    const mask = (0xff00 >> Math.min(8, bits - bit)) & 0xff;
    const at = bit / 8;
    if (((address[at] ?? 0) & mask) !== ((prefix[at] ?? 0) & mask)) return false;
  }
  return true;
}
