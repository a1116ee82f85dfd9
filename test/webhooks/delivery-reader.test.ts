import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromUtf8, toBase64, toHex, utf8 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/clock.ts";
import type { NewHash } from "../../src/base/streamed-hash.ts";
import { sha256 } from "../../src/crypto/primitives.ts";
import { EventMapping, WebhookScheme, type Signing } from "../../src/protocol/http.ts";
import { claimOf, DeliveryReader, macKeysOf, verifyDelivery } from "../../src/webhooks/index.ts";
import { parsePath } from "../../src/webhooks/json-path.ts";
import { must } from "../must.ts";
import { flipBit, flipTextBit } from "./bit-flips.ts";
import { rulesWith } from "./events.ts";
import { hmac } from "./sample-deliveries.ts";

const AT = 1_700_000_000;
const nodeHash: NewHash = () => {
  const hash = createHash("sha256");
  return {
    update: async (bytes) => {
      await Promise.resolve();
      hash.update(bytes);
    },
    digest: () => new Uint8Array(hash.digest()),
  };
};

/** The headers that sign a body, by Node's HMAC. */
const SIGN: Record<WebhookScheme, (key: Uint8Array, body: Uint8Array) => Record<string, string>> = {
  "standard-webhooks": (key, body) => ({
    "webhook-id": "msg_1",
    "webhook-timestamp": String(AT),
    "webhook-signature": `v1,${hmac(key, `msg_1.${AT}.`, body).digest("base64")}`,
  }),
  github: (key, body) => ({ "x-hub-signature-256": `sha256=${hmac(key, body).digest("hex")}` }),
  stripe: (key, body) => ({
    "stripe-signature": `t=${AT},v1=${hmac(key, `${AT}.`, body).digest("hex")}`,
  }),
  slack: (key, body) => ({
    "x-slack-request-timestamp": String(AT),
    "x-slack-signature": `v0=${hmac(key, `v0:${AT}:`, body).digest("hex")}`,
  }),
  hmac: (key, body) => ({ "x-signature": hmac(key, body).digest("hex") }),
};

const secretOf = (scheme: WebhookScheme, key: Uint8Array): string =>
  scheme === "standard-webhooks" ? toBase64(key) : (fromUtf8(key) ?? "");

/** Reads a delivery in parts: `ok:` and the hash of the body, or the error's code. */
async function read(
  signing: Signing,
  secrets: readonly string[],
  headers: Record<string, string>,
  body: Uint8Array,
  length: number,
): Promise<string> {
  const claim = claimOf(signing, new Headers(headers));
  if (!claim.ok) return claim.error.code;
  const keys = must(macKeysOf(signing, secrets));
  const rules = rulesWith({ ...signing, mapping: EventMapping.parse({ kind: "$.kind" }) });
  const reader = new DeliveryReader(rules, claim.value, keys, nodeHash);
  for (let at = 0; at < body.length; at += length)
    await reader.write(body.subarray(at, at + length));
  const verified = await reader.finish(AT * SECOND);
  return verified.ok ? `ok:${verified.value.signed.bodyHash}` : verified.error.code;
}

const Key = fc
  .string({ unit: fc.constantFrom("k", "é", "🔐"), minLength: 24, maxLength: 60 })
  .map((text) => utf8(text.slice(0, 24)));
const Delivery = fc.record({
  scheme: fc.constantFrom(...WebhookScheme.options),
  key: Key,
  body: fc.uint8Array({ maxLength: 300 }),
  length: fc.integer({ min: 1, max: 120 }),
});

describe("a delivery that is read in parts", () => {
  test("WH45 verifies like the same delivery as a whole, by any of the source's secrets", async () => {
    await fc.assert(
      fc.asyncProperty(Delivery, fc.boolean(), async ({ scheme, key, body, length }, isSecond) => {
        const wellFormed = scheme === "standard-webhooks" || fromUtf8(key) !== null;
        fc.pre(wellFormed && key.length <= 64);
        const own = secretOf(scheme, key);
        const other = secretOf(scheme, new Uint8Array(32).fill(65));
        const secrets = isSecond ? [other, own] : [own, other];
        const headers = SIGN[scheme](key, body);
        const whole = { secrets, headers: new Headers(headers), body, now: AT * SECOND };
        expect(verifyDelivery({ scheme }, whole).ok).toBe(true);
        const read_ = await read({ scheme }, secrets, headers, body, length);
        expect(read_).toBe(`ok:${toHex(sha256(body))}`);
        expect(await read({ scheme }, [other], headers, body, length)).toBe("signature_invalid");
      }),
    );
  });

  test("WH45 is refused if any bit of the body or of a header is changed", async () => {
    await fc.assert(
      fc.asyncProperty(Delivery, fc.nat(), async ({ scheme, key, body, length }, bit) => {
        fc.pre(key.length <= 64 && fromUtf8(key) !== null && body.length > 0);
        const secrets = [secretOf(scheme, key)];
        const headers = SIGN[scheme](key, body);
        expect(await read({ scheme }, secrets, headers, flipBit(body, bit), length)).toBe(
          "signature_invalid",
        );
        for (const [name, value] of Object.entries(headers)) {
          const flipped = flipTextBit(value, bit);
          fc.pre(/^[\x21-\x7e]*$/.test(flipped));
          const changed = { ...headers, [name]: flipped };
          expect(await read({ scheme }, secrets, changed, body, length)).toMatch(/^signature_/);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("WH45 with a key longer than a block is verified, too", async () => {
    const key = utf8("k".repeat(200));
    const body = utf8('{"kind":"a"}');
    const result = await read(
      { scheme: "github" },
      ["k".repeat(200)],
      SIGN.github(key, body),
      body,
      5,
    );
    expect(result).toBe(`ok:${toHex(sha256(body))}`);
  });

  test("WH45 shows nothing of its event unless its signature is valid", async () => {
    const body = utf8('{"kind":"a"}');
    const key = utf8("k".repeat(32));
    const claim = must(claimOf({ scheme: "github" }, new Headers(SIGN.github(key, body))));
    const rules = rulesWith({ scheme: "github", mapping: EventMapping.parse({ kind: "$.kind" }) });
    for (const [signedBy, found] of [
      [key, { text: '"a"' }],
      [utf8("another"), undefined],
    ] as const) {
      const reader = new DeliveryReader(rules, claim, [signedBy], nodeHash);
      await reader.write(body);
      const verified = await reader.finish(AT * SECOND);
      const event = verified.ok && verified.value.event.ok ? verified.value.event.value : null;
      expect(event?.find(must(parsePath("$.kind")), "mapped")).toEqual(found);
    }
  });
});
