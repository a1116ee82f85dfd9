import { concat, toHex, utf8, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { XCHACHA_NONCE_BYTES, xchachaOpen, xchachaSeal } from "../crypto/primitives/chacha.ts";
import { x25519PublicKey } from "../crypto/primitives/edwards.ts";
import { hkdfSha256, hmacSha256 } from "../crypto/primitives/hashes.ts";
import { KEY_BYTES, PEER_ID_BYTES } from "../protocol/constants.ts";
import type { PeerId } from "../protocol/ids.ts";

/**
 * The secrets that members of the mesh share for one epoch. Both are random and independent of other epochs: the secrets of
 * one epoch open nothing of another, and after they are erased its blobs can't be opened any more.
 */
export interface EpochSecrets {
  /** X25519: records are sealed to its public key. */
  readonly privateKey: Bytes;
  /** The HMAC key from which pointer IDs are derived. */
  readonly pointerSecret: Bytes;
}

export const newEpochSecrets = (random: RandomBytes): EpochSecrets => ({
  privateKey: random(KEY_BYTES),
  pointerSecret: random(KEY_BYTES),
});

export const epochPublicKey = ({ privateKey }: EpochSecrets): Bytes => x25519PublicKey(privateKey);

/** The key with which the registry seals the epochs' secrets: HKDF-SHA256 (RFC 5869) of the mesh's discovery key. */
export const epochRootKey = (discoveryPrivateKey: Uint8Array): Bytes =>
  hkdfSha256(discoveryPrivateKey, utf8("muster/discovery epochs v1"), KEY_BYTES);

/** Associated data that binds sealed secrets to their epoch, so that those of another epoch can't replace them. */
const label = (epoch: number): Bytes => utf8(`epoch ${epoch}`);

/** nonce · XChaCha20-Poly1305(private key · pointer secret). */
export function sealEpochSecrets(
  root: Uint8Array,
  epoch: number,
  { privateKey, pointerSecret }: EpochSecrets,
  random: RandomBytes,
): Bytes {
  const nonce = random(XCHACHA_NONCE_BYTES);
  const sealed = xchachaSeal(root, nonce, concat(privateKey, pointerSecret), label(epoch));
  return concat(nonce, sealed);
}

/** The secrets; null when they were sealed with another root key, for another epoch, or were altered. */
export function openEpochSecrets(
  root: Uint8Array,
  epoch: number,
  sealed: Uint8Array,
): EpochSecrets | null {
  const nonce = sealed.subarray(0, XCHACHA_NONCE_BYTES);
  const opened = xchachaOpen(root, nonce, sealed.subarray(XCHACHA_NONCE_BYTES), label(epoch));
  if (opened?.length !== 2 * KEY_BYTES) return null;
  return { privateKey: opened.slice(0, KEY_BYTES), pointerSecret: opened.slice(KEY_BYTES) };
}

/**
 * A peer's pointer ID: the first 16 bytes of HMAC-SHA256(pointer secret, peer ID). A member can compute the pointer ID of a
 * peer that it knows. Without the secret, a pointer reveals neither its peer nor that peer's pointer in another epoch.
 */
export const pointerIdOf = (pointerSecret: Uint8Array, peerId: PeerId): string =>
  toHex(hmacSha256(pointerSecret, utf8(peerId)).subarray(0, PEER_ID_BYTES));

/**
 * The bearer token with which a member reads discovery, at the mesh or at a replica: 64 hex characters, derived from the
 * pointer secret without revealing it, valid until the epoch ends.
 */
export const readerToken = (pointerSecret: Uint8Array): string =>
  toHex(hkdfSha256(pointerSecret, utf8("muster/discovery reader v1"), KEY_BYTES));

/** The value that verifies a reader token. It does not reveal the token, so it may be public. */
export const readerTag = (token: string): Bytes =>
  hmacSha256(utf8(token), utf8("muster/discovery reader tag v1"));
