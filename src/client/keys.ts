import { fromHex, toHex, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { keyPairFrom, newKeyPair, type KeyPair } from "../crypto/identity.ts";
import { platformRandom } from "../crypto/primitives.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import { OptionsError } from "./errors.ts";

/** A private key: 64 hex characters, 32 bytes, or the key pair itself. */
export type PrivateKey = string | Uint8Array | KeyPair;

/** Generates a new identity. Keep its `privateKey` secret: it proves the identity. */
export const generateIdentity = (random: RandomBytes = platformRandom): KeyPair =>
  newKeyPair(random);

/** The key pair of a private key; throws an `OptionsError`, without the key in its text, if the key is not valid. */
export function identityFrom(key: PrivateKey): KeyPair {
  if (typeof key === "object" && "privateKey" in key) return key;
  return keyPairFrom(keyBytes(key, "a private key"));
}

/** A public key in lower-case hex; throws an `OptionsError` that calls the key `what` if it is not valid. */
export const publicKeyHex = (key: string | Uint8Array, what = "a mesh key"): string =>
  toHex(keyBytes(key, what));

function keyBytes(key: string | Uint8Array, what: string): Bytes {
  const bytes = typeof key === "string" ? fromHex(key) : new Uint8Array(key);
  if (bytes?.length !== KEY_BYTES) {
    throw new OptionsError(
      `${what} must be ${KEY_BYTES} bytes, or ${2 * KEY_BYTES} hex characters`,
    );
  }
  return bytes;
}
