import { createHmac } from "node:crypto";
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

/** The text with one bit of one character changed; `at` may be any number. */
export function flipTextBit(text: string, at: number): string {
  const i = Math.floor(at / 8) % text.length;
  const flipped = String.fromCharCode(text.charCodeAt(i) ^ (1 << (at % 8)));
  return text.slice(0, i) + flipped + text.slice(i + 1);
}

export function flipBit(bytes: Uint8Array, at: number): Uint8Array {
  const flipped = bytes.slice();
  const i = Math.floor(at / 8) % bytes.length;
  flipped[i] = (flipped[i] ?? 0) ^ (1 << (at % 8));
  return flipped;
}
