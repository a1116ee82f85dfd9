import { concat, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { TAG_BYTES, XCHACHA_NONCE_BYTES, xchachaOpen, xchachaSeal } from "./primitives/chacha.ts";
import { hashWithLastWord, precomputePrefix } from "./sha256-block.ts";

/** Bytes that sealing adds: the nonce before the ciphertext and the tag after it. */
export const SIGIL_OVERHEAD = XCHACHA_NONCE_BYTES + TAG_BYTES;

/** Bytes of keystream from one hash. */
const BLOCK_BYTES = 32;

/**
 * Borg's payload format ("ChaChaPoly sigil"): the nonce, then XChaCha20-Poly1305 of the plaintext XORed with a keystream
 * of SHA-256(nonce + block number as uint64 big-endian). The XOR adds no secrecy, because the nonce is public; the format
 * requires it.
 */
export function sealSigil(key: Uint8Array, plaintext: Uint8Array, random: RandomBytes): Bytes {
  const sealed = new Uint8Array(SIGIL_OVERHEAD + plaintext.length);
  const nonce = random(XCHACHA_NONCE_BYTES);
  sealed.set(nonce);
  const body = sealed.subarray(XCHACHA_NONCE_BYTES);
  const mixed = body.subarray(0, plaintext.length);
  mixed.set(plaintext);
  xorKeystream(nonce, mixed);
  xchachaSeal(key, nonce, mixed, undefined, body);
  return sealed;
}

/** The plaintext; null when the key is wrong or the bytes were changed. */
export function openSigil(key: Uint8Array, sealed: Uint8Array): Bytes | null {
  if (sealed.length < SIGIL_OVERHEAD) return null;
  const nonce = sealed.subarray(0, XCHACHA_NONCE_BYTES);
  const plaintext = xchachaOpen(key, nonce, sealed.subarray(XCHACHA_NONCE_BYTES));
  if (plaintext !== null) xorKeystream(nonce, plaintext);
  return plaintext;
}

/** XORs the keystream into the data in place. */
function xorKeystream(nonce: Uint8Array, data: Uint8Array): void {
  // The counter's upper half stays zero: 2^32 blocks are 128 GiB, beyond any container.
  const blocks = precomputePrefix(concat(nonce, new Uint8Array(4)));
  const digest = new Int32Array(BLOCK_BYTES / 4);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const whole = data.length - (data.length % BLOCK_BYTES);
  let index = 0;
  for (let from = 0; from < whole; from += BLOCK_BYTES) {
    hashWithLastWord(blocks, index++, digest);
    for (let i = 0; i < digest.length; i++) {
      view.setInt32(from + 4 * i, view.getInt32(from + 4 * i) ^ (digest[i] as number));
    }
  }
  if (whole < data.length) hashWithLastWord(blocks, index, digest);
  for (let at = whole; at < data.length; at++) {
    const word = digest[(at - whole) >> 2] as number;
    data[at] = (data[at] as number) ^ (word >>> (24 - 8 * (at & 3)));
  }
}
