import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { expect } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { sha256 } from "../../src/crypto/primitives.ts";
import { SIGNATURE_TOLERANCE } from "../../src/protocol/constants.ts";
import { verifyDelivery, type HeaderReader } from "../../src/webhooks/index.ts";
import type { Signing, WebhookScheme } from "../../src/protocol/http.ts";

/** A delivery for tests: header values may be text that an HTTP library would not send. */
export interface TestDelivery {
  readonly secret: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly now: number;
}

const reader = (headers: Readonly<Record<string, string>>): HeaderReader => ({
  get: (name) => (Object.hasOwn(headers, name) ? (headers[name] ?? null) : null),
});

type By = WebhookScheme | Signing;

const verified = (by: By, { secret, headers, ...delivery }: TestDelivery) =>
  verifyDelivery(typeof by === "string" ? { scheme: by } : by, {
    ...delivery,
    secrets: [secret],
    headers: reader(headers),
  });

/** `ok:` and the delivery's ID, or the error's code. */
export function verdict(by: By, delivery: TestDelivery): string {
  const result = verified(by, delivery);
  return result.ok ? `ok:${result.value.deliveryId}` : result.error.code;
}

export function detailOf(by: By, delivery: TestDelivery): string {
  const result = verified(by, delivery);
  return result.ok ? "" : result.error.detail;
}

/** HMAC-SHA256 by Node's library, so that signer and verifier share no code. */
export const hmac = (key: string | Uint8Array, ...parts: readonly (string | Uint8Array)[]) =>
  parts.reduce((mac, part) => mac.update(part), createHmac("sha256", key));

/** Deliveries of any body, signed by `sign` with any secret that is used as text. */
export const signedDeliveries = (
  sign: (secret: string, body: Uint8Array) => TestDelivery,
): fc.Arbitrary<TestDelivery> =>
  fc
    .record({
      secret: fc.string({ unit: "grapheme", minLength: 1, maxLength: 100 }),
      body: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    })
    .map(({ secret, body }) => sign(secret, body));

/** Expects that deliveries are accepted up to the tolerance around their signed time, with the body's hash as their ID. */
export function expectTolerance(by: By, deliveries: fc.Arbitrary<TestDelivery>): void {
  const Skew = fc.integer({ min: -2 * SIGNATURE_TOLERANCE, max: 2 * SIGNATURE_TOLERANCE });
  fc.assert(
    fc.property(deliveries, Skew, (delivery, skew) => {
      const fresh = Math.abs(skew) <= SIGNATURE_TOLERANCE;
      expect(verdict(by, { ...delivery, now: delivery.now + skew })).toBe(
        fresh ? `ok:${toHex(sha256(delivery.body))}` : "signature_stale",
      );
    }),
  );
}
