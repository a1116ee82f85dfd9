import { expand, hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../../base/bytes.ts";

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
