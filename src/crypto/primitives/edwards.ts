import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import type { Bytes } from "../../base/bytes.ts";

export const x25519PublicKey = (privateKey: Uint8Array): Bytes => x25519.getPublicKey(privateKey);

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
