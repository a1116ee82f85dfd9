import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  clientAddress,
  networksOf,
  readAddress,
  readTrustedProxies,
  TRUSTED_PROXIES_MAX,
} from "../../src/access/client-address.ts";
import { must } from "../must.ts";

const trusted = (text: string) => must(readTrustedProxies(text));
const PROXIES = trusted("10.0.0.0/8, ::1, fd00::/8");

const Ipv4 = fc.ipV4();
const Ipv6 = fc.ipV6();
const Public = fc.oneof(
  Ipv4.filter((address) => !address.startsWith("10.")),
  Ipv6.filter((address) => !/^(?:fd|::1$|0*:|::)/i.test(address) && !address.includes(".")),
);
/** Whatever a client may send, without commas, which separate entries. */
const Junk = fc.oneof(
  fc.constantFrom(
    "unknown",
    "_hidden",
    "",
    "[::1",
    "1.2.3",
    "999.1.1.1",
    "::g",
    "0x7f.1",
    "1.2.3.4:99999999",
  ),
  fc.string({ maxLength: 40 }).map((text) => text.replaceAll(",", "")),
);

describe("the address of a client", () => {
  test.for([
    ["192.0.2.7", "192.0.2.7"],
    ["192.0.2.7:443", "192.0.2.7"],
    [" 192.0.2.7 ", "192.0.2.7"],
    ["2001:DB8::1", "2001:db8::1"],
    ["2001:0db8:0:0:0:0:0:1", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["[fe80::1%eth0]:80", "fe80::1"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::ffff:c000:207", "192.0.2.7"],
    ["[::ffff:192.0.2.7]:80", "192.0.2.7"],
    ["0:0:0:0:0:ffff:192.0.2.7", "192.0.2.7"],
  ] as const)("RL30 is read from %s", ([text, address]) => {
    expect(readAddress(text)).toBe(address);
  });

  test.for([
    ..."|unknown|_proxy|localhost|192.0.2|192.0.2.256|0300.0.2.7|1.2.3.4.5|1.2.3.4:|:80|::g|1::2::3|[::1|::1]|[1.2.3.4]|2001:db8::1/64|a b|1.2.3.4, 5.6.7.8".split(
      "|",
    ),
    "1".repeat(10_000),
  ])("RL30 is not read from other text: %s", (text) => {
    expect(readAddress(text)).toBeNull();
    expect(clientAddress(text, "192.0.2.1", PROXIES)).toBe("");
  });

  test("RL30 has one form for every spelling of an address", () => {
    fc.assert(
      fc.property(fc.oneof(Ipv4, Ipv6), fc.nat({ max: 65_535 }), (address, port) => {
        const canonical = readAddress(address);
        expect(canonical).not.toBeNull();
        const isIpv4 = !address.includes(":");
        const spellings = isIpv4
          ? [address, `${address}:${port}`, `::ffff:${address}`]
          : [address.toUpperCase(), `[${address}]`, `[${address}]:${port}`, `${address}%25zone`];
        for (const spelling of [...spellings, canonical ?? ""])
          expect(readAddress(spelling)).toBe(canonical);
      }),
    );
  });

  test("RL30 is that of the connection unless the connection comes from a trusted proxy, whatever the header says", () => {
    fc.assert(
      fc.property(Public, fc.array(fc.oneof(Public, Junk)), (connection, claims) => {
        const header = claims.join(", ");
        const expected = readAddress(connection);
        expect(clientAddress(connection, header, PROXIES)).toBe(expected);
        expect(clientAddress(connection, header, [])).toBe(expected);
        expect(clientAddress("10.0.0.1", header, [])).toBe("10.0.0.1");
      }),
    );
  });

  test("RL30 is the last entry that is not a trusted proxy, whatever the client put before it", () => {
    const Proxy = fc.constantFrom("10.1.2.3", "10.0.0.9:4711", "::1", "fd00::7", "::ffff:10.9.9.9");
    fc.assert(
      fc.property(
        fc.array(fc.oneof(Public, Junk)),
        Public,
        fc.array(Proxy, { maxLength: 5 }),
        (claims, client, passed) => {
          const header = [...claims, client, ...passed].join(",");
          expect(clientAddress("10.0.0.1", header, PROXIES)).toBe(readAddress(client));
        },
      ),
    );
  });

  test("RL30 is the proxy's when the proxy passes on no address", () => {
    fc.assert(
      fc.property(Junk, (junk) => {
        fc.pre(readAddress(junk) === null);
        expect(clientAddress("10.0.0.1", `192.0.2.1, ${junk}`, PROXIES)).toBe("10.0.0.1");
      }),
    );
    expect(clientAddress("10.0.0.1", null, PROXIES)).toBe("10.0.0.1");
  });

  test("RL30 is found in bounded time in a list of any length", () => {
    const header = Array.from({ length: 100_000 }, () => "10.0.0.2").join(",");
    expect(clientAddress("10.0.0.1", header, PROXIES)).toBe("10.0.0.2");
  });
});

describe("the list of trusted proxies", () => {
  test("RL30 has addresses and networks of both versions", () => {
    const list = trusted("192.0.2.0/25\n2001:db8::/33, 198.51.100.7");
    const through = (proxy: string) => clientAddress(proxy, "203.0.113.9", list) === "203.0.113.9";
    expect(["192.0.2.127", "192.0.2.128", "198.51.100.7", "198.51.100.8"].map(through)).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(["2001:db8::1", "2001:db8:8000::1", "::ffff:192.0.2.1"].map(through)).toEqual([
      true,
      false,
      true,
    ]);
    expect(trusted(" , ")).toEqual([]);
  });

  test.for([
    "10.0.0.0/33",
    "::/129",
    "10.0.0/8",
    "proxy.example.com",
    "10.0.0.1/",
    "10.0.0.1/a",
    "*",
    "fe80::1%eth0",
  ])("RL30 refuses %s", (entry) => {
    const read = readTrustedProxies(`10.0.0.1, ${entry}`);
    expect(read).toMatchObject({ ok: false, error: expect.stringContaining("entry 2") });
  });

  test("RL30 has a bounded length", () => {
    const many = Array.from({ length: TRUSTED_PROXIES_MAX + 1 }, () => "10.0.0.1").join(" ");
    expect(readTrustedProxies(many).ok).toBe(false);
  });
});

describe("what counts as one caller", () => {
  test("RL1 is one IPv4 address, one /64 of IPv6, and all addresses that are unknown together", () => {
    const network = (address: string) => networksOf(address).network;
    expect(network("192.0.2.1")).not.toBe(network("192.0.2.2"));
    expect(network("::ffff:192.0.2.1")).toBe(network("192.0.2.1"));
    expect(network("2001:db8::1")).toBe(network("2001:db8:0:0:ffff::1"));
    expect(network("2001:db8:0:1::1")).not.toBe(network("2001:db8::1"));
    expect(network("")).toBe(network("junk"));
    expect(networksOf("2001:db8:0:1::1").site).toBe(networksOf("2001:db8:0:ffff::1").site);
    expect(networksOf("2001:db8:1::1").site).not.toBe(networksOf("2001:db8::1").site);
  });
});
