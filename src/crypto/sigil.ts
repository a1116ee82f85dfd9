import { concat, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { sha256, TAG_BYTES, XCHACHA_NONCE_BYTES, xchachaOpen, xchachaSeal } from "./primitives.ts";

/** Bytes that sealing adds: the nonce in front and the tag behind. */
export const SIGIL_OVERHEAD = XCHACHA_NONCE_BYTES + TAG_BYTES;

/**
 * Borg's payload ("ChaChaPoly sigil"): nonce, then XChaCha20-Poly1305 over the plaintext XORed with a keystream of
 * SHA-256(nonce + uint64 big-endian block). The XOR adds no secrecy (its key is public); it is there for the format.
 */
export function sealSigil(key: Uint8Array, plaintext: Uint8Array, random: RandomBytes): Bytes {
  const nonce = random(XCHACHA_NONCE_BYTES);
  return concat(nonce, xchachaSeal(key, nonce, xorKeystream(nonce, plaintext)));
}

/** The plaintext, or null when the key is not the right one or the bytes were changed. */
export function openSigil(key: Uint8Array, sealed: Uint8Array): Bytes | null {
  if (sealed.length < SIGIL_OVERHEAD) return null;
  const nonce = sealed.subarray(0, XCHACHA_NONCE_BYTES);
  const mixed = xchachaOpen(key, nonce, sealed.subarray(XCHACHA_NONCE_BYTES));
  return mixed === null ? null : xorKeystream(nonce, mixed);
}

function xorKeystream(nonce: Uint8Array, data: Uint8Array): Bytes {
  const out = new Uint8Array(data.length);
  const block = new Uint8Array(XCHACHA_NONCE_BYTES + 8);
  block.set(nonce);
  const counter = new DataView(block.buffer, XCHACHA_NONCE_BYTES);
  for (let at = 0, index = 0; at < data.length; index++) {
    // The counter's upper half stays zero: 2^32 blocks are 128 GiB, beyond any container.
    counter.setUint32(4, index);
    const stream = sha256(block);
    for (let i = 0; i < stream.length && at < data.length; i++, at++) {
      out[at] = (data[at] as number) ^ (stream[i] as number);
    }
  }
  return out;
}
