import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readIp } from "../../src/protocol/ip-address.ts";
import {
  isListedAddress,
  OUTBOUND_ALLOW_MAX,
  outboundHostOf,
  readOutboundAllow,
} from "../../src/protocol/outbound-allow.ts";
import { outboundUrl } from "../../src/protocol/outbound-url.ts";
import { must, mustFail } from "../must.ts";

const judge = (list: string, url: string): string => {
  const allow = must(readOutboundAllow(list));
  const judged = outboundUrl(url, {
    schemes: ["https", "http", "wss", "ws"],
    allowLoopback: false,
    allow,
  });
  return judged.ok ? judged.value : judged.error.code;
};
/** The code of the refusal, or "allowed". */
const verdict = (list: string, url: string): string => {
  const judged = judge(list, url);
  return judged.includes("://") ? "allowed" : judged;
};
/** Whether a name that stands in a URL may be connected to an address. */
const leadsTo = (list: string, url: string, address: string): boolean =>
  isListedAddress(
    must(readOutboundAllow(list)),
    outboundHostOf(new URL(url)),
    readIp(address) ?? [],
  );

/** [list, URL, what becomes of it] */
const TABLE: readonly (readonly [list: string, url: string, verdict: string])[] = [
  ["10.0.0.5", "http://10.0.0.5/", "allowed"],
  ["10.0.0.5", "http://10.0.0.6/", "address"],
  ["10.0.0.5", "http://10.0.0.5:8080/", "allowed"],
  ["10.0.0.5", "http://10.0.0.5:6379/", "port"],
  ["10.0.0.5:6379", "http://10.0.0.5:6379/", "allowed"],
  ["10.0.0.5:6379", "http://10.0.0.5/", "address"],
  ["10.0.0.5:6379", "http://10.0.0.5:06379/", "allowed"],
  ["10.0.0.5:80", "http://10.0.0.5/", "allowed"],
  ["10.0.0.5:80", "https://10.0.0.5/", "address"],
  ["10.0.0.5:443", "https://10.0.0.5/", "allowed"],
  ["10.0.0.5:443", "wss://10.0.0.5/", "allowed"],
  ["10.0.0.5:443", "ws://10.0.0.5/", "address"],
  ["10.0.0.5:22", "http://10.0.0.5:22/", "allowed"],
  ["10.0.0.5:22, 10.0.0.5", "http://10.0.0.5:9000/", "allowed"],
  // Every spelling of an address is that address.
  ["10.0.0.5", "http://012.0.0.5/", "allowed"],
  ["10.0.0.5", "http://0xa.0.0.5/", "allowed"],
  ["10.0.0.5", "http://0x0A000005/", "allowed"],
  ["10.0.0.5", "http://167772165/", "allowed"],
  ["10.0.0.5", "http://10.5/", "allowed"],
  ["10.0.0.5", "http://10.0.0.5./", "allowed"],
  ["10.0.0.5", "http://%31%30.0.0.5/", "allowed"],
  ["10.0.0.5", "http://①0.0.0.5/", "allowed"],
  ["10.0.0.5", "http://010.0.0.5/", "allowed"], // 8.0.0.5, which is public
  ["10.0.0.0/8", "http://0xb.0.0.5/", "allowed"], // 11.0.0.5, which is public
  ["10.0.0.0/8", "http://0300.0250.1/", "address"], // 192.168.0.1
  ["192.168.0.0/24", "http://0300.0250.1/", "allowed"],
  ["192.168.0.0/24", "http://192.168.1.1/", "address"],
  ["192.168.0.0/24", "http://192.168.1/", "allowed"], // 192.168.0.1
  // An IPv4 address in IPv6 is no form of a listed one.
  ["10.0.0.5", "http://[::ffff:10.0.0.5]/", "address"],
  ["10.0.0.0/8", "http://[::ffff:a00:5]/", "address"],
  ["::/0", "http://[::ffff:10.0.0.5]/", "address"],
  ["::/0", "http://[::10.0.0.5]/", "address"],
  ["::/0", "http://[64:ff9b::10.0.0.5]/", "address"],
  ["::/0", "http://[64:ff9b:1::a00:5]/", "address"],
  ["::/0", "http://[2002:a00:5::]/", "address"],
  ["::/0", "http://[2001::1]/", "address"],
  ["::/0", "http://[::]/", "address"],
  ["::/0", "http://[ff02::1]/", "address"],
  ["::/0", "http://[fe80::1]/", "address"],
  ["::/0", "http://[::1]/", "allowed"],
  ["[fd00::5]", "http://[fd00:0:0::0005]/", "allowed"],
  ["[FD00:0::5]", "http://[fd00::6]/", "address"],
  ["[fd00::5]:8443", "https://[FD00::5]:8443/", "allowed"],
  ["[fd00::5]:8443", "https://[fd00::5]/", "address"],
  ["fd00::/8", "http://[fdff::1]/", "allowed"],
  ["fd00::/8", "http://[fc00::1]/", "address"],
  ["fd00::/8", "http://10.0.0.5/", "address"],
  ["fd80::/9", "http://[fd7f::1]/", "address"],
  // What is no host's address is never called.
  ["0.0.0.0/0", "http://0.0.0.0/", "address"],
  ["0.0.0.0/0", "http://0/", "address"],
  ["0.0.0.0/0", "http://224.0.0.1/", "address"],
  ["0.0.0.0/0", "http://255.255.255.255/", "address"],
  ["0.0.0.0/0", "http://127.0.0.1/", "allowed"],
  ["127.0.0.1:9000", "http://127.1:9000/", "allowed"],
  ["127.0.0.1:9000", "http://127.0.0.2:9000/", "address"],
  // Cloud metadata: by its own address alone.
  ["0.0.0.0/0", "http://169.254.169.254/", "address"],
  ["169.254.0.0/16", "http://169.254.169.254/", "address"],
  ["169.254.169.254/32", "http://169.254.169.254/", "address"],
  ["169.254.169.254", "http://169.254.169.254/", "allowed"],
  ["169.254.169.254", "http://0xa9fea9fe/", "allowed"],
  ["169.254.169.254", "http://169.254.170.2/", "address"],
  ["169.254.169.254:80", "http://169.254.169.254:8080/", "address"],
  ["169.254.170.2", "http://169.254.170.2/", "allowed"],
  ["100.64.0.0/10", "http://100.100.100.200/", "address"],
  ["100.64.0.0/10", "http://100.100.100.201/", "allowed"],
  ["168.63.129.16/32", "http://168.63.129.16/", "address"],
  ["192.0.0.0/24", "http://192.0.0.192/", "address"],
  ["fd00::/8", "http://[fd00:ec2::254]/", "address"],
  ["fd00:ec2::254/128", "http://[fd00:ec2::254]/", "address"],
  ["[fd00:ec2::254]", "http://[fd00:ec2::254]/", "allowed"],
  ["[fd00:ec2::254]", "http://[fd00:ec2::23]/", "address"],
  ["fd00::/8", "http://[fd20:ce::254]/", "address"],
  ["fd00::/8", "http://[fd00:c1::a9fe:a9fe]/", "address"],
  ["fd00::/8", "http://[fd00:42::42]/", "address"],
  ["fd00::/8", "http://[fd00:a9fe:a9fe::1]/", "address"],
  // Names: compared whole, in the form of the URL.
  ["hooks.internal", "http://hooks.internal/", "allowed"],
  ["hooks.internal", "http://HOOKS.Internal/", "allowed"],
  ["hooks.internal", "http://hooks.internal./", "allowed"],
  ["hooks.internal.", "http://hooks.internal/", "allowed"],
  ["Hooks.INTERNAL", "http://hooks.internal/", "allowed"],
  ["hooks.internal", "http://hooks.internal../", "name"],
  ["hooks.internal", "http://a.hooks.internal/", "name"],
  ["hooks.internal", "http://xhooks.internal/", "name"],
  ["hooks.internal", "http://internal/", "name"],
  ["hooks.internal", "http://hooks.internal.example.com/", "allowed"], // a public name
  ["hooks.internal", "http://hooks.internal:9000/", "allowed"],
  ["hooks.internal", "http://hooks.internal:25/", "port"],
  ["hooks.internal:9000", "http://hooks.internal:9000/", "allowed"],
  ["hooks.internal:9000", "http://hooks.internal:9001/", "name"],
  ["hooks.internal:9000", "http://hooks.internal/", "name"],
  ["hooks.internal", "http://user@hooks.internal/", "credentials"],
  ["hooks.internal", "http://hooks%2Einternal/", "allowed"],
  ["hooks.internal", "http://hooks。internal/", "allowed"],
  ["hooks.internal", "http://hooks\u00ad.internal/", "allowed"],
  ["hooks.internal", "http://hооks.internal/", "name"], // with Cyrillic letters
  ["bücher.lan", "http://xn--bcher-kva.lan/", "allowed"],
  ["xn--bcher-kva.lan", "http://BÜCHER.lan/", "allowed"],
  ["bücher.lan", "http://bucher.lan/", "name"],
  ["receiver", "http://receiver:8080/", "allowed"],
  ["receiver", "http://receiver2/", "name"],
  ["my_service", "http://my_service/", "allowed"],
  ["localhost:9000", "http://localhost:9000/", "allowed"],
  ["localhost:9000", "http://localhost:9001/", "name"],
  ["localhost", "http://127.0.0.1/", "address"],
  ["127.0.0.1", "http://localhost/", "name"],
  ["10.0.0.0/8", "http://hooks.internal/", "name"],
  // Other schemes stay refused.
  ["10.0.0.5", "ftp://10.0.0.5/", "scheme"],
  // The list adds to what is public, and takes nothing away.
  ["10.0.0.5", "https://example.com/", "allowed"],
  ["example.com:9000", "https://example.com/", "allowed"],
  ["example.com:6379", "https://example.com:6379/", "allowed"],
];

/** [entry, part of the error] */
const WRONG: readonly (readonly [entry: string, fault: string])[] = [
  ["*.internal", "a wildcard"],
  ["*", "a wildcard"],
  ["http://hooks.internal", "a URL"],
  ["https://10.0.0.5/", "a URL"],
  ["10.0.0.0/8:9000", "a network with a port"],
  ["10.0.0.0/33", "neither a host nor a network"],
  ["10.0.1.0/", "neither a host nor a network"],
  ["10.0/16", "neither a host nor a network"],
  ["0x0a.0.0.0/8", "neither a host nor a network"],
  ["fd00::/129", "neither a host nor a network"],
  ["[fd00::]/8", "neither a host nor a network"],
  ["hooks.internal/path", "neither a host nor a network"],
  ["10.0.0.5/8", "bits after the first 8"],
  ["10.1.0.0/15", "bits after the first 15"],
  ["fd00::1/64", "bits after the first 64"],
  ["012.0.0.5", "not in dotted decimal"],
  ["0xa.0.0.5", "not in dotted decimal"],
  ["10.5", "not in dotted decimal"],
  ["167772165", "not in dotted decimal"],
  ["10.0.0.5.", "not in dotted decimal"],
  ["fd00::5", "without brackets"],
  ["::1", "without brackets"],
  ["[fd00::5", "neither HOST"],
  ["[fd00::5%eth0]", "a host that no URL can have"],
  ["[10.0.0.5]", "a host that no URL can have"],
  ["10.0.0.256", "a host that no URL can have"],
  ["1.2.3.4.5", "a host that no URL can have"],
  ["[::ffff:10.0.0.5]", "not the one of a host"],
  ["[::ffff:a00:5]", "not the one of a host"],
  ["[64:ff9b::a00:5]", "not the one of a host"],
  ["[fe80::1]", "not the one of a host"],
  ["[::]", "not the one of a host"],
  ["0.0.0.0", "not the one of a host"],
  ["224.0.0.1", "not the one of a host"],
  ["255.255.255.255", "not the one of a host"],
  ["10.0.0.5:", "neither HOST"],
  ["10.0.0.5:0", "a port"],
  ["10.0.0.5:65536", "a port"],
  ["10.0.0.5:080", "a port"],
  ["10.0.0.5:-1", "neither HOST"],
  ["10.0.0.5:80:80", "neither HOST"],
  [":80", "neither HOST"],
  ["user@hooks.internal", "a host that no URL can have"],
  ["hooks#internal", "a host that no URL can have"],
  ["hooks%2einternal", "a host that no URL can have"],
  ["-hooks.internal", "a name that DNS"],
  ["hooks..internal", "a name that DNS"],
  [`${"a".repeat(64)}.internal`, "a name that DNS"],
  [`${"a.".repeat(140)}internal`, "a name that DNS"],
  ["a".repeat(400), "neither HOST"],
];

/** Runs on every platform whose URL parser is used: the canonical form of a host is the parser's. */
export function describeOutboundAllow(): void {
  describe("OUTBOUND_ALLOW", () => {
    test.for(TABLE)("SV27 %s and the URL %s: %s", ([list, url, expected]) => {
      expect(verdict(list, url)).toBe(expected);
    });

    test("SV27 a URL is called in its canonical form", () => {
      expect(judge("10.0.0.5", "http://0xa.5:08080/a#b")).toBe("http://10.0.0.5:8080/a");
    });

    test.for(WRONG)("SV27 the entry %s is refused as %s", ([entry, fault]) => {
      const error = mustFail(readOutboundAllow(`example.com ${entry}`));
      expect(error).toContain("has as entry 2 ");
      expect(error).toContain(fault);
      expect(error).not.toContain(entry);
    });

    test("SV27 a list has commas or spaces, and a bound", () => {
      const list = (count: number) =>
        Array.from({ length: count }, (_, n) => `10.0.0.${n}`).join(", ");
      expect(must(readOutboundAllow(" \n")).addresses).toEqual([]);
      expect(must(readOutboundAllow(list(OUTBOUND_ALLOW_MAX))).addresses).toHaveLength(
        OUTBOUND_ALLOW_MAX,
      );
      expect(mustFail(readOutboundAllow(list(OUTBOUND_ALLOW_MAX + 1)))).toContain("more than");
    });

    test("SV28 a name that is not listed leads to no listed address", () => {
      const list = "10.0.0.0/8, 10.0.0.5, 127.0.0.1, other.example, fd00::/8";
      for (const address of ["10.0.0.5", "10.1.1.1", "127.0.0.1", "fd00::5"])
        expect([address, leadsTo(list, "http://attacker.example/", address)]).toEqual([
          address,
          false,
        ]);
    });

    test("SV28 a listed name leads to private addresses, on the port that is listed", () => {
      for (const address of [
        "10.0.0.5",
        "192.168.1.1",
        "100.64.0.1",
        "127.0.0.1",
        "fd00::5",
        "::1",
      ]) {
        expect(leadsTo("hooks.internal", "http://hooks.internal:9000/", address)).toBe(true);
        expect(leadsTo("hooks.internal:9000", "http://hooks.internal:9000/", address)).toBe(true);
        expect(leadsTo("hooks.internal:9001", "http://hooks.internal:9000/", address)).toBe(false);
      }
    });

    test("SV28 a listed name leads to an address of cloud metadata only if that is listed, too", () => {
      const url = "http://metadata.google.internal/";
      for (const address of ["169.254.169.254", "100.100.100.200", "fd00:ec2::254"]) {
        const itself = address.includes(":") ? `[${address}]` : address;
        const name = "metadata.google.internal";
        expect(leadsTo(`${name}, 0.0.0.0/0, ::/0`, url, address)).toBe(false);
        expect(leadsTo(`${name}, ${itself}`, url, address)).toBe(true);
        expect(leadsTo(`${name}, ${itself}:80`, url, address)).toBe(true);
        expect(leadsTo(`${name}, ${itself}:81`, url, address)).toBe(false);
        expect(leadsTo(itself, url, address)).toBe(false);
      }
    });

    test("SV28 a listed name leads to no address that is not one host's, whatever is listed", () => {
      for (const address of [
        "0.0.0.0",
        "224.0.0.1",
        "::",
        "::ffff:10.0.0.5",
        "fe80::1",
        "64:ff9b::a00:5",
      ])
        expect([
          address,
          leadsTo("hooks.internal, 0.0.0.0/0, ::/0", "http://hooks.internal/", address),
        ]).toEqual([address, false]);
    });

    test("SV28 an address of a URL is connected to itself alone", () => {
      expect(leadsTo("10.0.0.0/8", "http://10.0.0.5/", "10.0.0.5")).toBe(true);
      expect(leadsTo("10.0.0.0/8", "http://10.0.0.5/", "10.0.0.6")).toBe(false);
    });

    test("SV27 of arbitrary addresses a network allows those inside it, and no other private one", () => {
      fc.assert(
        fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 1, max: 32 }), (net, text, bits) => {
          const numberOf = (dotted: string): number =>
            dotted.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
          const size = 2 ** (32 - bits);
          const first = Math.floor(numberOf(net) / size) * size;
          const prefix = [24, 16, 8, 0]
            .map((shift) => Math.floor(first / 2 ** shift) % 256)
            .join(".");
          const isInside = Math.floor(numberOf(text) / size) * size === first;
          const isPublic = verdict("", `http://${text}/`) === "allowed";
          const isCalled = verdict(`${prefix}/${bits}`, `http://${text}/`) === "allowed";
          if (isPublic) expect([text, isCalled]).toEqual([text, true]);
          else if (!isInside) expect([text, isCalled]).toEqual([text, false]);
        }),
        { numRuns: 500 },
      );
    });
  });
}
