import { fromHex, toHex, type Bytes } from "../base/bytes.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import { OptionsError } from "./errors.ts";

/** A public key in lower-case hex; throws an `OptionsError` that calls the key `what` if it is not valid. */
export const publicKeyHex = (key: string | Uint8Array, what = "a mesh key"): string =>
  toHex(keyBytes(key, what));

/** The 32 bytes of a key; throws an `OptionsError`, without the key in its text, if it is not valid. */
export function keyBytes(key: string | Uint8Array, what: string): Bytes {
  const bytes = typeof key === "string" ? fromHex(key) : new Uint8Array(key);
  if (bytes?.length !== KEY_BYTES) {
    throw new OptionsError(
      `${what} must be ${KEY_BYTES} bytes, or ${2 * KEY_BYTES} hex characters`,
    );
  }
  return bytes;
}
