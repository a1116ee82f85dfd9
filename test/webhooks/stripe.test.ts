import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/clock.ts";
import { flipBit, flipTextBit } from "./bit-flips.ts";
import {
  detailOf,
  expectTolerance,
  hmac,
  signedDeliveries,
  verdict,
  type TestDelivery,
} from "./sample-deliveries.ts";

const HEADER = "stripe-signature";
const AT = 1_700_000_000;
const mac = (secret: string, at: number | string, body: Uint8Array): string =>
  hmac(secret, `${at}.`, body).digest("hex");

const signed = (secret: string, body: Uint8Array, header = HEADER): TestDelivery => ({
  secret,
  headers: { [header]: `t=${AT},v1=${mac(secret, AT, body)}` },
  body,
  now: AT * SECOND,
});
const withHeader = (delivery: TestDelivery, text: string): TestDelivery => ({
  ...delivery,
  headers: { [HEADER]: text },
});
const Signed = signedDeliveries(signed);

describe("a delivery with a signature in Stripe's form", () => {
  test("WH6 is accepted within the time tolerance and stale outside it, and its ID is the hash of its body", () => {
    expectTolerance("stripe", Signed);
  });

  test("WH6 is refused if any bit of its body is changed", () => {
    fc.assert(
      fc.property(Signed, fc.nat(), (delivery, bit) => {
        const changed = { ...delivery, body: flipBit(delivery.body, bit) };
        expect(verdict("stripe", changed)).toBe("signature_invalid");
      }),
    );
  });

  test("WH6 is never accepted if any bit of its header is changed", () => {
    fc.assert(
      fc.property(Signed, fc.nat(), (delivery, bit) => {
        const changed = flipTextBit(delivery.headers[HEADER] ?? "", bit);
        expect(verdict("stripe", withHeader(delivery, changed))).toMatch(/^signature_/);
      }),
      { numRuns: 500 },
    );
  });

  test("WH6 must have exactly one time in whole seconds, which is signed", () => {
    const body = utf8("{}");
    const right = mac("a secret", AT, body);
    for (const [text, code] of [
      [`t=${AT},t=${AT},v1=${right}`, "signature_invalid"],
      [`t=${AT + 1},v1=${right}`, "signature_invalid"],
      [`t=0${AT},v1=${mac("a secret", `0${AT}`, body)}`, "signature_invalid"],
      [`t=,v1=${mac("a secret", "", body)}`, "signature_invalid"],
      [`v1=${right}`, "signature_missing"],
      ["", "signature_missing"],
    ] as const)
      expect(verdict("stripe", withHeader(signed("a secret", body), text)), text).toBe(code);
  });

  test("WH6 may have other signatures besides the matching one, up to a limit", () => {
    const body = utf8("{}");
    const delivery = signed("a secret", body);
    const right = `v1=${mac("a secret", AT, body)}`;
    const many = (count: number) =>
      withHeader(delivery, `t=${AT},${"v1=00,".repeat(count)}${right},v0=00`);
    expect(verdict("stripe", many(10))).toMatch(/^ok:/);
    expect(verdict("stripe", many(40))).toBe("signature_invalid");
    const noise = `x=${"0".repeat(3_000)}`;
    expect(verdict("stripe", withHeader(delivery, `t=${AT},${right},${noise}`))).toBe(
      "signature_invalid",
    );
  });

  test("WH6 may have its signature in another header, which the source names", () => {
    const signature = { header: "x-signed", encoding: "hex", prefix: "" } as const;
    const by = { scheme: "stripe", signature } as const;
    expect(verdict(by, signed("a secret", utf8("{}"), "x-signed"))).toMatch(/^ok:/);
    expect(detailOf(by, signed("a secret", utf8("{}")))).toContain("x-signed");
  });
});
