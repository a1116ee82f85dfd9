import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkedAddresses } from "../../../server/outbound/checked-addresses.ts";
import { NO_OUTBOUND_ALLOW } from "../../../src/protocol/outbound-allow.ts";
import { outboundUrl } from "../../../src/protocol/outbound-url.ts";
import { address } from "./receivers.ts";

const PUBLIC_ONLY = { allowLoopback: false, allow: NO_OUTBOUND_ALLOW };

/** The addresses that may be called when the name resolves to these. */
const checked = async (found: readonly string[], allowLoopback = false): Promise<unknown> => {
  const result = await checkedAddresses(
    new URL("http://a.example.com/"),
    { allowLoopback, allow: NO_OUTBOUND_ALLOW },
    async () => found.map(address),
  );
  return result.ok ? result.value.map((each) => each.address) : result.error;
};

const PRIVATE = [
  "10.0.0.1",
  "172.16.0.1",
  "192.168.1.1",
  "169.254.169.254",
  "100.64.0.1",
  "0.0.0.0",
  "255.255.255.255",
  "::",
  "fe80::1",
  "fe80::1%eth0",
  "fd00::1",
  "::ffff:10.0.0.1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:8.8.8.8",
  "64:ff9b::a00:1",
  "2002:a00:1::",
  "not an address",
  "",
];
const LOOPBACK = ["127.0.0.1", "127.9.9.9", "::1"];

describe("the addresses of a name", () => {
  test.for([...PRIVATE, ...LOOPBACK])(
    "CB21 a name that resolves to %s is not called",
    async (to) => {
      expect(await checked([to])).toBe("not_public");
    },
  );

  test.for(PRIVATE)("CB21 nor is it where loopback addresses are allowed: %s", async (to) => {
    expect(await checked([to], true)).toBe("not_public");
  });

  test.for(LOOPBACK)(
    "CB2 a loopback address is called only where it is allowed: %s",
    async (to) => {
      expect(await checked([to], true)).toEqual([to]);
    },
  );

  test("CB21 of several addresses only those that are public are called", async () => {
    expect(await checked(["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111", "fd00::1"])).toEqual([
      "8.8.8.8",
      "2606:4700::1111",
    ]);
    expect(await checked(["10.0.0.1", "::1", "fd00::1"])).toBe("not_public");
  });

  test("CB21 a name without addresses can't be reached", async () => {
    expect(await checked([])).toBe("unreachable");
    const failing = async (): Promise<never> => Promise.reject(new Error("ENOTFOUND"));
    const result = await checkedAddresses(new URL("http://a.example.com/"), PUBLIC_ONLY, failing);
    expect(result).toEqual({ ok: false, error: "unreachable" });
  });

  test("CB21 an address that a name resolves to is judged as if it stood in the URL", async () => {
    const Address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom(...PRIVATE, ...LOOPBACK));
    await fc.assert(
      fc.asyncProperty(Address, fc.boolean(), async (text, allowLoopback) => {
        const host = text.includes(":") ? `[${text}]` : text;
        const url = `http://${host}/`;
        // The resolver writes an address as the URL parser does.
        const canonical = URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : text;
        const isAllowed = outboundUrl(url, {
          schemes: ["http"],
          allowLoopback,
          allow: NO_OUTBOUND_ALLOW,
        }).ok;
        expect([text, await checked([canonical], allowLoopback)]).toEqual([
          text,
          isAllowed ? [canonical] : "not_public",
        ]);
      }),
      { numRuns: 1_000 },
    );
  });

  test("CB21 an address in the URL is not resolved", async () => {
    const never = async (): Promise<never> => Promise.reject(new Error("was asked"));
    for (const host of ["8.8.8.8", "[2606:4700::1111]"])
      expect(await checkedAddresses(new URL(`http://${host}/`), PUBLIC_ONLY, never)).toMatchObject({
        ok: true,
      });
    for (const host of ["10.0.0.1", "[fd00::1]", "[::ffff:127.0.0.1]"])
      expect(await checkedAddresses(new URL(`http://${host}/`), PUBLIC_ONLY, never)).toMatchObject({
        error: "not_public",
      });
  });
});
