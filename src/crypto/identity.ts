import { toHex, type Bytes } from "../base/bytes.ts";
import { PEER_ID_BYTES } from "../protocol/constants.ts";
import type { PeerId } from "../protocol/ids.ts";
import { sha256 } from "./primitives/hashes.ts";
import { ladderPublicKey, x25519Agree } from "./primitives/ladder.ts";

/** An X25519 key pair and the peer ID derived from its public key. */
export interface KeyPair {
  readonly privateKey: Bytes;
  readonly publicKey: Bytes;
  readonly id: PeerId;
}

/** First 16 bytes of SHA-256(public key), in hex: go-p2p's node ID. */
export const peerIdOf = (publicKey: Uint8Array): PeerId =>
  toHex(sha256(publicKey).subarray(0, PEER_ID_BYTES));

/** A key pair, by less code and in more time than `keyPairFrom`: for programs that make few. */
export function ownKeyPair(privateKey: Bytes): KeyPair {
  const publicKey = ladderPublicKey(privateKey);
  return { privateKey, publicKey, id: peerIdOf(publicKey) };
}

/** The field's prime, 2^255 - 19, little-endian. */
const PRIME = Uint8Array.of(0xed, ...new Uint8Array(30).fill(0xff), 0x7f);

/**
 * Whether a public key is the canonical encoding of its point. X25519 ignores the highest bit and reduces modulo the prime
 * (RFC 7748 §5), so a non-canonical encoding would agree on the same secrets but hash to a different peer ID.
 */
export function isCanonicalKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== PRIME.length) return false;
  for (let i = PRIME.length - 1; i >= 0; i--) {
    const difference = (publicKey[i] as number) - (PRIME[i] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** go-p2p's shared secret, SHA-256(X25519(own private, peer public)); null for a public key of low order or not canonical. */
export function sharedSecret(privateKey: Uint8Array, peerPublicKey: Uint8Array): Bytes | null {
  const agreed = isCanonicalKey(peerPublicKey) ? x25519Agree(privateKey, peerPublicKey) : null;
  return agreed === null ? null : sha256(agreed);
}
