import { toHex, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { KEY_BYTES, PEER_ID_BYTES } from "../protocol/constants.ts";
import type { PeerId } from "../protocol/ids.ts";
import { sha256, x25519Agree, x25519PublicKey } from "./primitives.ts";

/** An X25519 key pair and the ID that follows from it. */
export interface KeyPair {
  readonly privateKey: Bytes;
  readonly publicKey: Bytes;
  readonly id: PeerId;
}

/** First 16 bytes of SHA-256(public key), in hex: go-p2p's node ID. */
export const peerIdOf = (publicKey: Uint8Array): PeerId =>
  toHex(sha256(publicKey).subarray(0, PEER_ID_BYTES));

export function keyPairFrom(privateKey: Bytes): KeyPair {
  const publicKey = x25519PublicKey(privateKey);
  return { privateKey, publicKey, id: peerIdOf(publicKey) };
}

export const newKeyPair = (random: RandomBytes): KeyPair => keyPairFrom(random(KEY_BYTES));

/** go-p2p's shared secret, SHA-256(X25519(own private, peer public)); null for a public key of low order. */
export function sharedSecret(privateKey: Uint8Array, peerPublicKey: Uint8Array): Bytes | null {
  const agreed = x25519Agree(privateKey, peerPublicKey);
  return agreed === null ? null : sha256(agreed);
}
