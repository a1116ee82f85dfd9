import { concat, toHex, utf8, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import {
  hkdfSha256,
  hmacSha256,
  x25519PublicKey,
  XCHACHA_NONCE_BYTES,
  xchachaOpen,
  xchachaSeal,
} from "../crypto/primitives.ts";
import { KEY_BYTES, PEER_ID_BYTES } from "../protocol/constants.ts";
import type { PeerId } from "../protocol/ids.ts";

/**
 * What members of the mesh share for one epoch. Both are random and belong to no other epoch: who holds one epoch's
 * opens nothing of another, and once they are erased nobody opens its blobs any more.
 */
export interface EpochSecrets {
  /** X25519: records are sealed to its public half. */
  readonly privateKey: Bytes;
  /** Makes the IDs of pointers. */
  readonly pointerSecret: Bytes;
}

export const newEpochSecrets = (random: RandomBytes): EpochSecrets => ({
  privateKey: random(KEY_BYTES),
  pointerSecret: random(KEY_BYTES),
});

export const epochPublicKey = ({ privateKey }: EpochSecrets): Bytes => x25519PublicKey(privateKey);

/** The key under which the registry keeps epochs' secrets: HKDF-SHA256 (RFC 5869) of the mesh's discovery key. */
export const epochRootKey = (discoveryPrivateKey: Uint8Array): Bytes =>
  hkdfSha256(discoveryPrivateKey, utf8("muster/discovery epochs v1"), KEY_BYTES);

/** The epoch's number is authenticated with its secrets, so that no other epoch's can be put in their place. */
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

/** The secrets; null when they were sealed under another root, for another epoch, or were altered. */
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
 * A peer's pointer ID: HMAC-SHA256(pointer secret, peer ID), cut to 16 bytes. A member finds a peer that it knows;
 * nobody else can tell whose pointer one is, nor which two of different epochs belong together.
 */
export const pointerIdOf = (pointerSecret: Uint8Array, peerId: PeerId): string =>
  toHex(hmacSha256(pointerSecret, utf8(peerId)).subarray(0, PEER_ID_BYTES));

/**
 * What a member shows to read discovery, at the mesh or at a replica: derived from the pointer secret, of which it
 * tells nothing, and worth nothing once its epoch is over. 64 hex characters.
 */
export const readerToken = (pointerSecret: Uint8Array): string =>
  toHex(hkdfSha256(pointerSecret, utf8("muster/discovery reader v1"), KEY_BYTES));

/** What a token is checked by; tells nothing of it, so a store may show it. */
export const readerTag = (token: string): Bytes =>
  hmacSha256(utf8(token), utf8("muster/discovery reader tag v1"));
