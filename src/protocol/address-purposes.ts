/** Kinds of addresses that are not public: those of one host, and those at which clouds serve credentials. */
import { inRange, type Octets, type Range } from "./ip-address.ts";

/** Addresses that are no host's, need a zone, or carry an IPv4 address, for which another text stands (RFC 6890, RFC 4291). */
const NO_SINGLE_HOST: readonly Range[] = [
  [[0, 0, 0, 0], 8], // this network: Linux connects to itself
  [[224, 0, 0, 0], 4], // multicast
  [[240, 0, 0, 0], 4], // reserved, broadcast
  [ipv6([0xff00]), 8], // multicast
  [ipv6([0xfe80]), 10], // link-local
  [ipv6([0, 0, 0, 0, 0, 0xffff]), 96], // IPv4-mapped
  [ipv6([0, 0, 0, 0, 0xffff, 0]), 96], // IPv4-translated (RFC 2765)
  [ipv6([0x64, 0xff9b]), 96], // translated (RFC 6052)
  [ipv6([0x64, 0xff9b, 1]), 48], // translated (RFC 8215)
  [ipv6([0x2001, 0]), 32], // Teredo (RFC 4380)
  [ipv6([0x2002]), 16], // 6to4 (RFC 3056)
];
/** Unspecified, loopback and IPv4-compatible addresses. Of these only ::1 is a host's. */
const IPV4_COMPATIBLE: Range = [ipv6([]), 96];
const LOOPBACK: Range = [ipv6([0, 0, 0, 0, 0, 0, 0, 1]), 128];

/** Whether an address is that of one host, in the only form that it has. */
export const isSingleHost = (address: Octets): boolean =>
  (address.length === 4 || address.length === 16) &&
  (!inRange(address, IPV4_COMPATIBLE) || inRange(address, LOOPBACK)) &&
  !NO_SINGLE_HOST.some((range) => inRange(address, range));

/** Where clouds serve metadata, among it credentials, and other services of theirs to every program of a machine. */
const METADATA: readonly Range[] = [
  [[169, 254, 0, 0], 16], // link-local: AWS, Google Cloud, Azure, OpenStack and others
  [[100, 100, 100, 200], 32], // Alibaba Cloud
  [[168, 63, 129, 16], 32], // Azure
  [[192, 0, 0, 192], 32], // Oracle Cloud
  [ipv6([0xfd00, 0x0ec2]), 32], // AWS
  [ipv6([0xfd20, 0x00ce]), 32], // Google Cloud
  [ipv6([0xfd00, 0x00c1]), 32], // Oracle Cloud
  [ipv6([0xfd00, 0x0042]), 32], // Scaleway
  [ipv6([0xfd00, 0xa9fe, 0xa9fe]), 48], // Akamai
];

export const isMetadataAddress = (address: Octets): boolean =>
  METADATA.some((range) => inRange(address, range));

/** The octets of an IPv6 address that begins with these groups, and has zeros after them. */
function ipv6(groups: readonly number[]): Octets {
  return Array.from({ length: 8 }, (_, at) => groups[at] ?? 0).flatMap((group) => [
    group >> 8,
    group & 0xff,
  ]);
}
