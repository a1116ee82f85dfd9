/** The fixed keys, times and bytes that the vectors of docs/vectors are made with. They are published, and worth nothing elsewhere. */
import { utf8, type Bytes } from "../../src/base/bytes.ts";
import type { RandomBytes } from "../../src/base/clock.ts";
import { keyPairFrom } from "../../src/crypto/key-pairs.ts";
import { ed25519PublicKey } from "../../src/crypto/primitives/edwards.ts";

/** `length` bytes that count up from `first`. */
export const counting = (first: number, length: number): Bytes =>
  Uint8Array.from({ length }, (_, i) => (first + i) & 0xff);

export const PEER = keyPairFrom(counting(0x01, 32));
export const MESH = keyPairFrom(counting(0x21, 32));
export const PEER_EPHEMERAL = keyPairFrom(counting(0x41, 32));
export const MESH_EPHEMERAL = keyPairFrom(counting(0x61, 32));
/** The key that the peer rotates to. */
export const NEXT_PEER = keyPairFrom(counting(0x81, 32));
/** The key pair of a caller: its results are sealed to it, and it challenges a mesh. */
export const CALLER = keyPairFrom(counting(0xa1, 32));
export const OTHER = keyPairFrom(counting(0xc1, 32));
/** Ed25519. */
export const SIGNING_KEY = counting(0x11, 32);
export const SIGNING_PUBLIC_KEY = ed25519PublicKey(SIGNING_KEY);

export const UNIX_SECONDS = 1_796_126_400;
export const TIME = new Date(UNIX_SECONDS * 1_000).toISOString();
export const TASK_ID = "5f0c8b1e-8d5c-4c5e-9b7e-0d4f3c2b1a00";
export const MESSAGE_ID = "0b3a6f2e-1c4d-4e5f-8a9b-0c1d2e3f4a5b";

/** Returns these bytes, one after the other, where the code asks for random ones of the same length. */
export function scripted(...parts: readonly Bytes[]): RandomBytes {
  const left = [...parts];
  return (length) => {
    const next = left.shift();
    if (next?.length !== length) throw new Error(`asked for ${length} bytes, not ${next?.length}`);
    return next;
  };
}

/** Plaintexts that are too long for a file: byte i is i mod 251. */
export const pattern = (length: number): Bytes => Uint8Array.from({ length }, (_, i) => i % 251);

/** The bytes with one bit of the byte at this position changed. */
export const flipped = (bytes: Uint8Array, at: number): Bytes =>
  Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte));

export const EMPTY = utf8("");
