import { gcm } from "@noble/ciphers/aes.js";
import type { Bytes } from "../../base/bytes.ts";
import { TAG_BYTES } from "./chacha.ts";

/** AES-256-GCM (NIST SP 800-38D) with a nonce of 12 bytes: ciphertext and tag. */
export const aesGcmSeal = (key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Bytes =>
  gcm(key, nonce).encrypt(plaintext);

/** The plaintext; null when key, nonce or data differ from those used for sealing. */
export function aesGcmOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Bytes | null {
  if (sealed.length < TAG_BYTES) return null;
  try {
    return gcm(key, nonce).decrypt(sealed);
  } catch {
    return null; // the tag does not match
  }
}
