/** The cryptographic primitives. This is the only file that imports @noble/*. */
import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305, xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { expand, hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";

export const XCHACHA_NONCE_BYTES = 24;
export const CHACHA_NONCE_BYTES = 12;
export const TAG_BYTES = 16;

export const sha256 = (data: Uint8Array): Bytes => nobleSha256(data);

/** HMAC-SHA256 (RFC 2104). */
export const hmacSha256 = (key: Uint8Array, data: Uint8Array): Bytes =>
  hmac(nobleSha256, key, data);

/** HKDF-SHA256 (RFC 5869), without a salt unless one is given. Throws for more than 8,160 bytes. */
export const hkdfSha256 = (
  key: Uint8Array,
  info: Uint8Array,
  length: number,
  salt?: Uint8Array,
): Bytes => hkdf(nobleSha256, key, salt, info, length);

/** HKDF-Expand-SHA256 alone (RFC 5869 §2.3), for a key that is already uniform. Throws for more than 8,160 bytes. */
export const hkdfExpandSha256 = (key: Uint8Array, info: Uint8Array, length: number): Bytes =>
  expand(nobleSha256, key, info, length);

export const x25519PublicKey = (privateKey: Uint8Array): Bytes => x25519.getPublicKey(privateKey);

/**
 * X25519 (RFC 7748 §5); null when the result is all zeros. The public key is then of low order, and the secret would be
 * public knowledge (RFC 7748 §6.1).
 */
export function x25519Agree(privateKey: Uint8Array, publicKey: Uint8Array): Bytes | null {
  try {
    return x25519.getSharedSecret(privateKey, publicKey);
  } catch {
    return null; // wrong length or low order: @noble throws for both
  }
}

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

export const ed25519PublicKey = (privateKey: Uint8Array): Bytes => ed25519.getPublicKey(privateKey);

/** An Ed25519 signature (RFC 8032 §5.1.6), 64 bytes. */
export const ed25519Sign = (privateKey: Uint8Array, message: Uint8Array): Bytes =>
  ed25519.sign(message, privateKey);

/** Verifies a signature by RFC 8032's strict rules, which accept only the canonical encoding of a point. */
export function ed25519Verify(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false; // wrong lengths, or not a point on the curve
  }
}

/** Cryptographically secure random bytes from the platform. Only entry points use it; other code receives `RandomBytes`. */
export const platformRandom: RandomBytes = (length) =>
  crypto.getRandomValues(new Uint8Array(length));
