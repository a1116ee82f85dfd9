import type { RandomBytes } from "../base/clock.ts";
import type { KeyPair } from "../crypto/identity.ts";
import {
  generateIdentity as generated,
  identityFrom as read,
  type PrivateKey,
} from "./own-keys.ts";

/*
 * What programs do with keys. esbuild takes a module that the index names as needed at once if the SDK loads it later for anything else:
 * these functions are another module than those that the SDK calls.
 */

export type { PrivateKey } from "./own-keys.ts";

/** Generates a new identity. Keep its `privateKey` secret: it proves the identity. */
export const generateIdentity = (random?: RandomBytes): KeyPair => generated(random);

/** The key pair of a private key; throws an `OptionsError`, without the key in its text, if the key is not valid. */
export const identityFrom = (key: PrivateKey): KeyPair => read(key);
