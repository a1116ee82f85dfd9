import type { RandomBytes } from "../base/clock.ts";
import { ownKeyPair, type KeyPair } from "../crypto/identity.ts";
import { platformRandom } from "../crypto/primitives/random.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import { keyBytes } from "./public-key.ts";

/** A private key: 64 hex characters, 32 bytes, or the key pair itself. */
export type PrivateKey = string | Uint8Array | KeyPair;

/** Generates a new identity. Keep its `privateKey` secret: it proves the identity. */
export const generateIdentity = (random: RandomBytes = platformRandom): KeyPair =>
  ownKeyPair(random(KEY_BYTES));

/** The key pair of a private key; throws an `OptionsError`, without the key in its text, if the key is not valid. */
export function identityFrom(key: PrivateKey): KeyPair {
  if (typeof key === "object" && "privateKey" in key) return key;
  return ownKeyPair(keyBytes(key, "a private key"));
}
