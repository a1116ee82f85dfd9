import { toHex } from "../../../src/base/bytes.ts";

/** So many random bytes in hex: a key or an ID that nobody else has. */
export const randomHex = (bytes: number): string =>
  toHex(crypto.getRandomValues(new Uint8Array(bytes)));
