import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import { sha256 } from "../../src/crypto/primitives.ts";
import type { Signing } from "../../src/protocol/http.ts";
import { checkSecret, verifyDelivery } from "../../src/webhooks/index.ts";
import { must, mustFail } from "../must.ts";
import { flipBit, flipTextBit } from "./bit-flips.ts";
import { detailOf, hmac, verdict } from "./sample-deliveries.ts";

const Form = fc.record({
  header: fc.constantFrom("x-signature", "x-mac", "signature"),
  encoding: fc.constantFrom("hex" as const, "base64" as const),
  prefix: fc.constantFrom("", "sha256=", "v1:"),
});
const Body = fc.uint8Array({ minLength: 1, maxLength: 100 });
const by = (signature: typeof Form extends fc.Arbitrary<infer T> ? T : never): Signing => ({
  scheme: "hmac",
  signature,
});

describe("a delivery with a plain HMAC in a header", () => {
  test("WH8 is accepted only with the header, encoding and prefix of its source", () => {
    fc.assert(
      fc.property(Form, Form, Body, (form, other, body) => {
        const text = form.prefix + hmac("a secret", body).digest(form.encoding);
        const headers = { [form.header]: text };
        const delivery = { secret: "a secret", headers, body, now: 0 };
        expect(verdict(by(form), delivery)).toBe(`ok:${toHex(sha256(body))}`);
        fc.pre(JSON.stringify(other) !== JSON.stringify(form));
        expect(verdict(by(other), delivery)).toMatch(/^signature_/);
      }),
    );
  });

  test("WH8 is refused if any bit of its body or signature is changed", () => {
    fc.assert(
      fc.property(Form, Body, fc.nat(), (form, body, bit) => {
        const text = form.prefix + hmac("a secret", body).digest(form.encoding);
        const delivery = { secret: "a secret", headers: { [form.header]: text }, body, now: 0 };
        const altered = { ...delivery, body: flipBit(body, bit) };
        expect(verdict(by(form), altered)).toBe("signature_invalid");
        const headers = { [form.header]: flipTextBit(text, bit) };
        expect(verdict(by(form), { ...delivery, headers })).toMatch(/^signature_/);
      }),
      { numRuns: 300 },
    );
  });

  test("WH8 is unsigned without its header, and the error names the header", () => {
    const delivery = { secret: "a secret", headers: {}, body: utf8("{}"), now: 0 };
    expect(verdict("hmac", delivery)).toBe("signature_missing");
    expect(detailOf("hmac", delivery)).toContain("x-signature");
  });
});

describe("a source with several secrets", () => {
  const secrets = ["the newer secret", "the older secret", "yet another one"];
  const delivery = (secret: string, at = 1_000) => ({
    headers: new Headers({
      "stripe-signature": `t=${at},v1=${hmac(secret, `${at}.{}`).digest("hex")}`,
    }),
    body: utf8("{}"),
    now: 1_000_000,
  });

  test("WH10 accepts a delivery that is signed with any of them", () => {
    for (const secret of secrets)
      must(verifyDelivery({ scheme: "stripe" }, { ...delivery(secret), secrets }));
    const refused = verifyDelivery({ scheme: "stripe" }, { ...delivery("none of them"), secrets });
    expect(mustFail(refused).code).toBe("signature_invalid");
  });

  test("WH10 reports a late delivery as stale, whichever secret signed it", () => {
    for (const secret of secrets) {
      const late = verifyDelivery({ scheme: "stripe" }, { ...delivery(secret, 1), secrets });
      expect(mustFail(late).code).toBe("signature_stale");
    }
  });

  test("WH10 reports a defect of the mesh, not a wrong signature, if none of them is usable", () => {
    const none = verifyDelivery({ scheme: "github" }, { ...delivery("x"), secrets: [""] });
    expect(mustFail(none).code).toBe("internal");
  });

  test("WH10 is refused with the place of the unusable secret", () => {
    const error = mustFail(
      checkSecret({ scheme: "standard-webhooks" }, "not base64!", "secrets.1"),
    );
    expect(error.issues?.map(({ path }) => path)).toEqual(["secrets.1"]);
  });
});
