import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NO_OUTBOUND_ALLOW } from "../../src/protocol/outbound-allow.ts";
import {
  outboundUrl,
  OUTBOUND_URL_CHARS_MAX,
  type OutboundFault,
  type OutboundScheme,
} from "../../src/protocol/outbound-url.ts";

const judge = (
  url: string,
  allowLoopback = false,
  schemes: readonly OutboundScheme[] = ["https", "http"],
): string => {
  const judged = outboundUrl(url, { schemes, allowLoopback, allow: NO_OUTBOUND_ALLOW });
  return judged.ok ? judged.value : judged.error.code;
};
const host = (text: string): string => judge(`http://${text}/`);

/** Ranges that are not public, as first and last address, so that this test compares numbers where the code compares prefixes. */
const NOT_PUBLIC = (
  [
    ["0.0.0.0", "0.255.255.255"],
    ["10.0.0.0", "10.255.255.255"],
    ["100.64.0.0", "100.127.255.255"],
    ["127.0.0.0", "127.255.255.255"],
    ["168.63.129.16", "168.63.129.16"],
    ["169.254.0.0", "169.254.255.255"],
    ["172.16.0.0", "172.31.255.255"],
    ["192.0.0.0", "192.0.0.255"],
    ["192.0.2.0", "192.0.2.255"],
    ["192.88.99.0", "192.88.99.255"],
    ["192.168.0.0", "192.168.255.255"],
    ["198.18.0.0", "198.19.255.255"],
    ["198.51.100.0", "198.51.100.255"],
    ["203.0.113.0", "203.0.113.255"],
    ["224.0.0.0", "255.255.255.255"],
  ] as const
).map(([first, last]) => [numberOf(first), numberOf(last)] as const);

function numberOf(dotted: string): number {
  return dotted.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}
const dotted = (address: number): string =>
  [24, 16, 8, 0].map((bits) => Math.floor(address / 2 ** bits) % 256).join(".");

/** Picks small ranges as often as large ones, and often addresses near the edges, where mistakes are likely. */
const Ipv4 = fc.oneof(
  fc.nat({ max: 2 ** 32 - 1 }),
  fc
    .tuple(fc.constantFrom(...NOT_PUBLIC.flat()), fc.integer({ min: -2, max: 2 }))
    .map(([edge, off]) => Math.min(2 ** 32 - 1, Math.max(0, edge + off))),
  fc
    .tuple(fc.constantFrom(...NOT_PUBLIC), fc.nat())
    .map(([[first, last], at]) => first + (at % (last - first + 1))),
);

/** The notations of a number in a URL (decimal, octal, hexadecimal), and an address in 1 to 4 such parts. */
const Radix = fc.constantFrom(
  (part: number) => part.toString(),
  (part: number) => `0${part.toString(8)}`,
  (part: number) => `0x${part.toString(16)}`,
  (part: number) => `0X000${part.toString(16).toUpperCase()}`,
);
const Spelling = fc.record({
  parts: fc.integer({ min: 1, max: 4 }),
  radixes: fc.array(Radix, { minLength: 4, maxLength: 4 }),
  tail: fc.constantFrom("", "."),
});
function spell(address: number, { parts, radixes, tail }: SpellingOf): string {
  const octets = dotted(address).split(".").map(Number);
  const numbers = octets.slice(0, parts - 1);
  numbers.push(octets.slice(parts - 1).reduce((sum, octet) => sum * 256 + octet, 0));
  return numbers.map((part, at) => radixes[at]?.(part) ?? "").join(".") + tail;
}
type SpellingOf = typeof Spelling extends fc.Arbitrary<infer T> ? T : never;

/** Names below which nothing is public. */
const LOCAL_NAMES = [
  "test",
  "invalid",
  "localhost",
  "local",
  "localdomain",
  "localdomain4",
  "localdomain6",
  "onion",
  "alt",
  "arpa",
  "home.arpa",
  "10.in-addr.arpa",
  "internal",
  "corp",
  "home",
  "mail",
  "intranet",
  "lan",
  "private",
  "svc",
  "cluster",
  "cluster.local",
  "consul",
  "docker",
  "openstacklocal",
  "novalocal",
  "fritz.box",
  "router",
  "workgroup",
  "metadata.goog",
];

/** Spellings of a character or dot that the URL standard reads as the same: in upper case, percent-encoded, in other widths. */
const CharSpelling = fc.constantFrom(
  (char: string) => char,
  (char: string) => char.toUpperCase(),
  (char: string) => `%${char.charCodeAt(0).toString(16)}`,
  (char: string) => encodeURIComponent(fullwidth(char)),
  (char: string) => (char === "." ? "。" : fullwidth(char)),
  (char: string) => (char === "." ? "｡" : `${char}\u00ad`), // a soft hyphen, which is ignored
);
const fullwidth = (char: string): string => String.fromCharCode(char.charCodeAt(0) + 0xfee0);
const Label = fc.stringMatching(/^[a-z]([a-z0-9]{0,8}[a-z0-9])?$/);

/** This suite runs with two URL parsers: Node's, and workerd's, whose `fetch` makes the calls. */
export function outboundUrlSuite(): void {
  describe("a URL that the mesh is asked to call", () => {
    test.for([
      ["https://example.com", "https://example.com/"],
      ["HTTPS://Example.COM:443/a?b=c#d", "https://example.com/a?b=c"],
      ["http://example.com:8080/x", "http://example.com:8080/x"],
      ["https://bücher.example/", "https://xn--bcher-kva.example/"],
      ["https://1.1.1.1/", "https://1.1.1.1/"],
      ["https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]/"],
      ["https://example.com./", "https://example.com./"],
      ["https://127.0.0.1.nip.example/", "https://127.0.0.1.nip.example/"],
      ["https://localhost.example.com/", "https://localhost.example.com/"],
    ] as const)("CB1 a URL is allowed with %s", ([url, called]) => {
      expect(judge(url)).toBe(called);
    });

    test.for([
      "127.0.0.1",
      "127.1",
      "0177.0.0.1",
      "0x7f.0x0.0x0.0x1",
      "0x7f000001",
      "2130706433",
      "017700000001",
      "127.0.0.1.",
      "①②⑦.⓪.⓪.①",
      "127。0。0。1",
      "%31%32%37.0.0.1",
      "0",
      "0.0.0.0",
      "10.0.0.1",
      "100.64.0.1",
      "169.254.169.254",
      "172.16.0.1",
      "172.31.255.255",
      "192.168.1.1",
      "192.0.2.1",
      "198.51.100.7",
      "203.0.113.9",
      "198.18.0.1",
      "224.0.0.1",
      "255.255.255.255",
      "[::]",
      "[::1]",
      "[0:0:0:0:0:0:0:1]",
      "[0000:0000:0000:0000:0000:0000:0000:0001]",
      "[::ffff:127.0.0.1]",
      "[::ffff:7f00:1]",
      "[::ffff:8.8.8.8]",
      "[::127.0.0.1]",
      "[::ffff:0:127.0.0.1]",
      "[64:ff9b::127.0.0.1]",
      "[64:ff9b::8.8.8.8]",
      "[64:ff9b:1::a00:1]",
      "[2002:7f00:1::]",
      "[2001:0:7f00:1::1]",
      "[2001:db8::1]",
      "[3fff:1::1]",
      "[fe80::1]",
      "[febf::1]",
      "[fec0::1]",
      "[fc00::1]",
      "[fd12:3456::1]",
      "[ff02::1]",
      "[100::1]",
      "[4000::1]",
    ])("CB1 an address that is not public is refused: %s", (text) => {
      expect(host(text)).toBe("address");
    });

    test.for([
      "localhost",
      "LOCALHOST",
      "localhost.",
      "a.localhost",
      "ⓛocalhost",
      "%6cocalhost",
      "printer",
      "printer.local",
      "metadata.google.internal",
      "router.home.arpa",
      "home.arpa",
      "localhost.localdomain",
      "service.namespace.svc",
      "service.namespace.svc.cluster.local",
      "nas.lan",
      "nas.LAN.",
      "nas。lan",
      "nas.%6Can",
      "nas.ⓛⓐⓝ",
      "nas.l\u00adan",
      "intranet.corp",
      "a.b.c.d.private",
      "example",
      "com",
      "com.",
      "xn--bcher-kva",
      "bücher",
      "host.1a",
      `${"a.".repeat(126)}aa`,
      `${"a".repeat(64)}.com`,
    ])("CB20 a name that is not public is refused: %s", (text) => {
      expect(host(text)).toBe("name");
    });

    test.for(["one.example", "a.b.example"])(
      "CB20 a name that is reserved for documentation is allowed: %s",
      (text) => {
        expect(host(text)).toBe(`http://${text}/`);
      },
    );

    test.for([
      "lan.example.com",
      "home.com",
      "internal.io",
      "mylan.com",
      "www.mycorp.dev",
      "notlocal.net",
      "corp.co.uk",
      "box.fritz.com",
      "www.goog",
      "a.box",
      "xn--bcher-kva.xn--p1ai",
      `${"a.".repeat(124)}com`,
      `${"a".repeat(63)}.com`,
    ])("CB20 a public name that resembles a local one is allowed: %s", (text) => {
      expect(host(text)).toBe(`http://${text}/`);
      expect(host(`${text}.`)).toBe(`http://${text}./`);
    });

    test.for(["host.1", "host.0x7f", "1.2.3.4.5", "host.007"])(
      "CB20 a name that ends in a number is refused: %s",
      (text) => {
        expect(host(text)).toBe("not_a_url");
      },
    );

    test.for(LOCAL_NAMES)("CB20 a local name is refused, and all names below it: %s", (suffix) => {
      for (const name of [suffix, `a.${suffix}`, `a.b.c.${suffix}`, `example.com.${suffix}`])
        for (const text of [name, `${name}.`]) expect([text, host(text)]).toEqual([text, "name"]);
    });

    test("CB20 the decision depends on the name, not on how it is written", () => {
      const Name = fc.tuple(
        fc.array(Label, { maxLength: 3 }),
        fc.constantFrom(...LOCAL_NAMES, "example.com", "bbc.co.uk", "mylan.net"),
      );
      const Written = Name.chain(([labels, suffix]) => {
        const name = [...labels, suffix].join(".");
        const chars = name.split("");
        return fc
          .tuple(fc.tuple(...chars.map(() => CharSpelling)), fc.constantFrom("", "."))
          .map(([spellings, end]) => ({
            name,
            end,
            isLocal: LOCAL_NAMES.includes(suffix),
            text: chars.map((char, at) => spellings[at]?.(char) ?? char).join("") + end,
          }));
      });
      fc.assert(
        fc.property(Written, ({ name, end, isLocal, text }) => {
          expect(host(text)).toBe(isLocal ? "name" : `http://${name}${end}/`);
        }),
        { numRuns: 2_000 },
      );
    });

    test.for([
      ["ftp://example.com/", "scheme"],
      ["file:///etc/passwd", "scheme"],
      ["javascript:alert(1)", "scheme"],
      ["data:text/plain,x", "scheme"],
      ["wss://example.com/", "scheme"],
      ["https://user@example.com/", "credentials"],
      ["https://:secret@example.com/", "credentials"],
      ["https://example.com@127.0.0.1/", "credentials"],
      ["https://example.com:22/", "port"],
      ["https://example.com:0/", "port"],
      ["https://example.com:6667/", "port"],
      ["https://example.com:99999/", "not_a_url"],
      ["/v1/tasks", "not_a_url"],
      ["//example.com/", "not_a_url"],
      ["example.com", "not_a_url"],
      ["", "not_a_url"],
      [" https://example.com/", "not_a_url"],
      ["https://exam\tple.com/", "not_a_url"],
      ["https://[fe80::1%25eth0]/", "not_a_url"],
      ["https://[::1/", "not_a_url"],
      ["https://256.1.1.1/", "not_a_url"],
      ["https://example..com/", "name"],
      [`https://example.com/${"a".repeat(OUTBOUND_URL_CHARS_MAX)}`, "too_long"],
      [`https://example.com/${"ü".repeat(OUTBOUND_URL_CHARS_MAX / 4)}`, "too_long"],
    ] satisfies [string, OutboundFault["code"]][])(
      "CB1 a URL is refused with the reason: %s (%s)",
      ([url, code]) => {
        expect(judge(url)).toBe(code);
      },
    );

    test("CB1 only the schemes that the caller passes are allowed", () => {
      expect(judge("wss://example.com/", false, ["wss", "ws"])).toBe("wss://example.com/");
      expect(judge("https://example.com/", false, ["wss", "ws"])).toBe("scheme");
      expect(judge("http://example.com/", false, ["https"])).toBe("scheme");
    });

    test("CB1 the decision depends on the address, not on how it is written", () => {
      fc.assert(
        fc.property(Ipv4, Spelling, (address, spelling) => {
          const hidden = NOT_PUBLIC.some(([first, last]) => address >= first && address <= last);
          const judged = host(spell(address, spelling));
          expect(judged).toBe(hidden ? "address" : `http://${dotted(address)}/`);
        }),
        { numRuns: 3_000 },
      );
    });

    test("CB1 an IPv6 address that embeds an IPv4 address is refused", () => {
      const Carrier = fc.constantFrom("::", "::ffff:", "::ffff:0:", "64:ff9b::", "64:ff9b:1::");
      fc.assert(
        fc.property(Carrier, Ipv4, fc.boolean(), (carrier, address, inHex) => {
          const high = Math.floor(address / 65_536).toString(16);
          const inner = inHex ? `${high}:${(address % 65_536).toString(16)}` : dotted(address);
          expect(host(`[${carrier}${inner}]`)).toBe("address");
        }),
      );
    });

    test("CB1 the result is the canonical URL, and checking it again returns it unchanged", () => {
      fc.assert(
        fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (url) => {
          const judged = judge(url);
          if (judged.startsWith("http")) expect(judge(judged)).toBe(judged);
          else expect(judged).toMatch(/^(name|port|address|not_a_url)$/);
        }),
      );
    });

    test.for(["http://localhost:9000/", "http://127.0.0.1:9000/", "http://[::1]:9000/"])(
      "CB2 a loopback URL is allowed only by configuration: %s",
      (url) => {
        expect(judge(url)).toMatch(/^(name|address)$/);
        expect(judge(url, true)).toBe(url);
      },
    );

    test.for(["10.0.0.1", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "169.254.169.254", "printer"])(
      "CB2 that configuration allows no other private address: %s",
      (text) => {
        expect(judge(`http://${text}/`, true)).toMatch(/^(name|address)$/);
      },
    );
  });
}
