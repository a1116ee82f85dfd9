/**
 * The stored form of webhook secrets. Verifying a MAC needs the secret itself, so it is sealed, not hashed. The key exists only
 * in the Worker's secrets: stored data alone does not reveal a webhook secret.
 *
 * Sealed form: version byte 1 · 24-byte nonce · XChaCha20-Poly1305 of the secret's UTF-8. Its length reveals the secret's length.
 */
import { concat, fromUtf8, utf8, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { hkdfSha256, xchachaOpen, XCHACHA_NONCE_BYTES, xchachaSeal } from "../crypto/primitives.ts";
import { KEY_BYTES } from "../protocol/constants.ts";

const VERSION = 1;
/** Ends in a separator, so that label and name cannot be confused. */
const INFO_LABEL = "muster/webhook-secret/1:";

/**
 * The key that seals one source's secret: HKDF-SHA256 (RFC 5869) of the mesh's signing key, with the source's name in
 * the info. Each name has its own key, so a sealed secret that is copied to another source does not open there. When the
 * signing key changes, the sealed secrets are lost and sources must be registered again.
 */
export const storageKey = (signingPrivateKey: Uint8Array, sourceName: string): Bytes =>
  hkdfSha256(signingPrivateKey, utf8(INFO_LABEL + sourceName), KEY_BYTES);

export function sealSecret(key: Uint8Array, secret: string, random: RandomBytes): Bytes {
  const nonce = random(XCHACHA_NONCE_BYTES);
  return concat(Uint8Array.of(VERSION), nonce, xchachaSeal(key, nonce, utf8(secret)));
}

/** The secret; null if it was sealed with another key or for another source, was changed, or has another version. */
export function openSecret(key: Uint8Array, sealed: Uint8Array): string | null {
  if (sealed[0] !== VERSION) return null;
  const nonce = sealed.subarray(1, 1 + XCHACHA_NONCE_BYTES);
  const plaintext = xchachaOpen(key, nonce, sealed.subarray(1 + XCHACHA_NONCE_BYTES));
  return plaintext === null ? null : fromUtf8(plaintext);
}
