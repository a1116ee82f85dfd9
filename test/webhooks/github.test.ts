import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import { sha256 } from "../../src/crypto/primitives.ts";
import { checkSecret } from "../../src/webhooks/index.ts";
import { must, mustFail } from "../must.ts";
import { flipBit, flipTextBit } from "./bit-flips.ts";
import {
  detailOf,
  hmac,
  signedDeliveries,
  verdict,
  type TestDelivery,
} from "./sample-deliveries.ts";

const HEADER = "x-hub-signature-256";

const signed = (secret: string, body: Uint8Array): TestDelivery => ({
  secret,
  headers: { [HEADER]: `sha256=${hmac(secret, body).digest("hex")}`, "x-github-delivery": "1" },
  body,
  now: 0,
});

const Signed = signedDeliveries(signed);
const Bit = fc.nat({ max: 100_000 });

describe("a GitHub delivery", () => {
  test("is accepted if signed, and its ID is the hash of its body", () => {
    fc.assert(
      fc.property(Signed, (delivery) => {
        expect(verdict("github", delivery)).toBe(`ok:${toHex(sha256(delivery.body))}`);
      }),
    );
  });

  test("has the SHA-256 of its raw body in hex as its ID", () => {
    expect(verdict("github", signed("s", utf8("Hello, World!")))).toBe(
      "ok:dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f",
    );
  });

  test("keeps its ID for any value of the unsigned header X-GitHub-Delivery", () => {
    const delivery = signed("a secret", utf8("{}"));
    const renamed = { ...delivery, headers: { ...delivery.headers, "x-github-delivery": "2" } };
    expect(verdict("github", renamed)).toMatch(/^ok:/);
    expect(verdict("github", renamed)).toBe(verdict("github", delivery));
  });

  test("is refused if any bit of its body is changed", () => {
    fc.assert(
      fc.property(Signed, Bit, (delivery, bit) => {
        const changed = { ...delivery, body: flipBit(delivery.body, bit) };
        expect(verdict("github", changed)).toBe("signature_invalid");
      }),
    );
  });

  test("is refused if any bit of its signature is changed", () => {
    fc.assert(
      fc.property(Signed, Bit, (delivery, bit) => {
        const changed = flipTextBit(delivery.headers[HEADER] ?? "", bit);
        expect(verdict("github", { ...delivery, headers: { [HEADER]: changed } })).toBe(
          "signature_invalid",
        );
      }),
      { numRuns: 500 },
    );
  });

  test("is refused with another secret", () => {
    const delivery = signed("one secret", utf8("{}"));
    expect(verdict("github", { ...delivery, secret: "one secreT" })).toBe("signature_invalid");
  });

  test("is unsigned without the header, and the error names the header", () => {
    const unsigned: Record<string, string>[] = [
      {},
      { [HEADER]: "" },
      { "x-hub-signature": "sha1=00" },
    ];
    for (const headers of unsigned) {
      const delivery = { ...signed("a secret", utf8("{}")), headers };
      expect(verdict("github", delivery)).toBe("signature_missing");
      expect(detailOf("github", delivery)).toContain(HEADER);
    }
  });

  test("is refused without revealing the expected MAC", () => {
    const delivery = signed("a secret", utf8("{}"));
    const expected = (delivery.headers[HEADER] ?? "").slice("sha256=".length);
    const detail = detailOf("github", { ...delivery, headers: { [HEADER]: "sha256=00" } });
    expect(detail).not.toBe("");
    expect(detail).not.toContain(expected);
  });
});

describe("a GitHub secret", () => {
  test("may be any text, and the key is its UTF-8", () => {
    must(checkSecret({ scheme: "github" }, "It's a Secret to Everybody"));
    must(checkSecret({ scheme: "github" }, "秘密 🔐"));
  });

  test.for([
    ["empty", ""],
    ["not well-formed Unicode", "secret \ud83d"],
  ] as const)("that is %s is refused at registration", ([, secret]) => {
    expect(mustFail(checkSecret({ scheme: "github" }, secret)).code).toBe("invalid_request");
  });
});
