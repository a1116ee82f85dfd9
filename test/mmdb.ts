/** A small writer of MaxMind's database format (MaxMind DB File Format Specification 2.0): IPv6 trees of 24-bit records. */
export type MmdbValue =
  | string
  | { readonly double: number }
  | { readonly uint: number; readonly bits: 16 | 32 | 64 }
  | { readonly map: { readonly [key: string]: MmdbValue } };

export interface MmdbEntry {
  /** `192.0.2.0/24` or `2001:db8::/32`. */
  readonly network: string;
  readonly record: MmdbValue;
}

const TYPE = { string: 2, double: 3, uint16: 5, uint32: 6, map: 7, uint64: 9, array: 11 } as const;
const METADATA_MARKER = Buffer.from("abcdef4d61784d696e642e636f6d", "hex");
const SEPARATOR = Buffer.alloc(16);

/** A record such as MaxMind's and DB-IP's city databases have. */
export const cityRecord = (latitude: number, longitude: number): MmdbValue => ({
  map: { location: { map: { latitude: { double: latitude }, longitude: { double: longitude } } } },
});

export function writeMmdb(
  entries: readonly MmdbEntry[],
  { databaseType = "Test-City", builtAt = Date.UTC(2026, 10, 3) } = {},
): Buffer {
  const data: Buffer[] = [];
  let dataSize = 0;
  // Each node has two records: the number of another node, the offset of data, or null.
  type Link = { node: number } | { data: number } | null;
  const nodes: [Link, Link][] = [[null, null]];
  for (const { network, record } of entries) {
    const { bits, length } = parseNetwork(network);
    let at = 0;
    for (let depth = 0; depth < length - 1; depth++) {
      const node = nodes[at] as [Link, Link];
      const bit = bits[depth] as 0 | 1;
      const next = node[bit];
      if (next !== null && "data" in next) throw new Error(`${network} is within another network`);
      if (next !== null) {
        at = next.node;
        continue;
      }
      nodes.push([null, null]);
      at = nodes.length - 1;
      node[bit] = { node: at };
    }
    const encoded = encode(record);
    (nodes[at] as [Link, Link])[bits[length - 1] as 0 | 1] = { data: dataSize };
    data.push(encoded);
    dataSize += encoded.length;
  }
  const tree = Buffer.alloc(nodes.length * 6);
  for (const [n, node] of nodes.entries())
    for (const [side, link] of node.entries()) {
      const value =
        link === null
          ? nodes.length
          : "node" in link
            ? link.node
            : nodes.length + SEPARATOR.length + link.data;
      tree.writeUIntBE(value, n * 6 + side * 3, 3);
    }
  const metadata = encode({
    map: {
      binary_format_major_version: { uint: 2, bits: 16 },
      binary_format_minor_version: { uint: 0, bits: 16 },
      build_epoch: { uint: builtAt / 1_000, bits: 64 },
      database_type: databaseType,
      description: { map: { en: "written by a test" } },
      ip_version: { uint: 6, bits: 16 },
      node_count: { uint: nodes.length, bits: 32 },
      record_size: { uint: 24, bits: 16 },
    },
  });
  return Buffer.concat([tree, SEPARATOR, ...data, METADATA_MARKER, metadata]);
}

/** IPv4 networks are below ::/96. */
function parseNetwork(network: string): { bits: readonly number[]; length: number } {
  const [address = "", prefix = ""] = network.split("/");
  const isIpv4 = address.includes(".");
  const bytes = isIpv4
    ? [...Array.from({ length: 12 }, () => 0), ...address.split(".").map(Number)]
    : ipv6Bytes(address);
  const bits = bytes.flatMap((byte) => Array.from({ length: 8 }, (_, n) => (byte >> (7 - n)) & 1));
  return { bits, length: Number(prefix) + (isIpv4 ? 96 : 0) };
}

function ipv6Bytes(address: string): number[] {
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((g) => parseInt(g, 16)));
  const [before, after] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 255]);
}

function encode(value: MmdbValue): Buffer {
  if (typeof value === "string") {
    const text = Buffer.from(value);
    return Buffer.concat([control(TYPE.string, text.length), text]);
  }
  if ("double" in value) {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value.double);
    return Buffer.concat([control(TYPE.double, 8), bytes]);
  }
  if ("uint" in value) {
    const type = { 16: TYPE.uint16, 32: TYPE.uint32, 64: TYPE.uint64 }[value.bits];
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(value.uint));
    const significant = bytes.subarray(bytes.findIndex((byte) => byte !== 0) & 7);
    return Buffer.concat([control(type, significant.length), significant]);
  }
  const fields = Object.entries(value.map);
  const encoded = fields.flatMap(([key, field]) => [encode(key), encode(field)]);
  return Buffer.concat([control(TYPE.map, fields.length), ...encoded]);
}

/** The first byte has a type up to 7 and a size up to 28. */
function control(type: number, size: number): Buffer {
  const first = Math.min(size, 29);
  const more = size < 29 ? [] : [size - 29];
  return type > 7
    ? Buffer.from([first, type - 7, ...more])
    : Buffer.from([(type << 5) | first, ...more]);
}
