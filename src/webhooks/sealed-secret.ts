/**
 * Webhook secrets as they are stored. A secret must be had back to check a MAC, so it is sealed, not hashed, under a key
 * that lives only in the Worker's secrets: storage read without them gives nothing.
 *
 * Sealed form: version byte 1 · 24-byte nonce · XChaCha20-Poly1305 of the secret's UTF-8. Its length tells the secret's.
 */
import { concat, fromUtf8, utf8, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { hkdfSha256, xchachaOpen, XCHACHA_NONCE_BYTES, xchachaSeal } from "../crypto/primitives.ts";
import { KEY_BYTES } from "../protocol/constants.ts";

const VERSION = 1;
/** Ends in a separator, so that label and name can't run into each other. */
const INFO_LABEL = "muster/webhook-secret/1:";

/**
 * The key that seals one source's secret: HKDF-SHA256 (RFC 5869) of the mesh's signing key, with the source's name in
 * the info. Each name has a key of its own, so that a sealed secret copied to another source does not open there. When
 * the signing key changes, what was sealed is lost and sources are registered anew.
 */
export const storageKey = (signingPrivateKey: Uint8Array, sourceName: string): Bytes =>
  hkdfSha256(signingPrivateKey, utf8(INFO_LABEL + sourceName), KEY_BYTES);

export function sealSecret(key: Uint8Array, secret: string, random: RandomBytes): Bytes {
  const nonce = random(XCHACHA_NONCE_BYTES);
  return concat(Uint8Array.of(VERSION), nonce, xchachaSeal(key, nonce, utf8(secret)));
}

/** The secret, or null when it was sealed under another key or for another source, was altered, or has another version. */
export function openSecret(key: Uint8Array, sealed: Uint8Array): string | null {
  if (sealed[0] !== VERSION) return null;
  const nonce = sealed.subarray(1, 1 + XCHACHA_NONCE_BYTES);
  const plaintext = xchachaOpen(key, nonce, sealed.subarray(1 + XCHACHA_NONCE_BYTES));
  return plaintext === null ? null : fromUtf8(plaintext);
}
