import { fromHex, toHex, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { keyPairFrom, newKeyPair, type KeyPair } from "../crypto/identity.ts";
import { platformRandom } from "../crypto/primitives.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import { OptionsError } from "./errors.ts";

/** A private key as the SDK takes it: 64 hex characters, 32 bytes, or the key pair itself. */
export type PrivateKey = string | Uint8Array | KeyPair;

/** Makes a new identity. Keep its `privateKey`: who holds it is this peer. */
export const generateIdentity = (random: RandomBytes = platformRandom): KeyPair =>
  newKeyPair(random);

/** The key pair of a private key; throws an `OptionsError` that names what is wrong, never the key. */
export function identityFrom(key: PrivateKey): KeyPair {
  if (typeof key === "object" && "privateKey" in key) return key;
  return keyPairFrom(keyBytes(key, "a private key"));
}

/** A public key, pinned as the mesh's unless said otherwise, in lower-case hex. */
export const publicKeyHex = (key: string | Uint8Array, what = "a mesh key"): string =>
  toHex(keyBytes(key, what));

function keyBytes(key: string | Uint8Array, what: string): Bytes {
  const bytes = typeof key === "string" ? fromHex(key) : new Uint8Array(key);
  if (bytes?.length !== KEY_BYTES) {
    throw new OptionsError(`${what} is ${KEY_BYTES} bytes, or ${2 * KEY_BYTES} hex characters`);
  }
  return bytes;
}
