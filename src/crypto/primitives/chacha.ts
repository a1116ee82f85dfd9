import { chacha20poly1305, xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import type { Bytes } from "../../base/bytes.ts";

export const XCHACHA_NONCE_BYTES = 24;
export const CHACHA_NONCE_BYTES = 12;
export const TAG_BYTES = 16;

/**
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): ciphertext and tag. `aad` is authenticated but not encrypted. The result
 * is written to `output` if given; `output` may start with the plaintext, which avoids copying a large one.
 */
export const xchachaSeal = (
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad?: Uint8Array,
  output?: Bytes,
): Bytes => xchacha20poly1305(key, nonce, aad).encrypt(plaintext, output);

/** The plaintext; null when key, nonce, data or `aad` differ from those used for sealing. */
export function xchachaOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad?: Uint8Array,
): Bytes | null {
  if (sealed.length < TAG_BYTES) return null;
  try {
    return xchacha20poly1305(key, nonce, aad).decrypt(sealed);
  } catch {
    return null; // the tag does not match
  }
}

/** ChaCha20-Poly1305 (RFC 8439) with a nonce of 12 bytes: ciphertext and tag. */
export const chachaSeal = (
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Bytes => chacha20poly1305(key, nonce, aad).encrypt(plaintext);

/** The plaintext; null when key, nonce, data or `aad` differ from those used for sealing. */
export function chachaOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
): Bytes | null {
  if (sealed.length < TAG_BYTES) return null;
  try {
    return chacha20poly1305(key, nonce, aad).decrypt(sealed);
  } catch {
    return null; // the tag does not match
  }
}
