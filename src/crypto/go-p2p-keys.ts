import { utf8, type Bytes } from "../base/bytes.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import { hkdfExpandSha256 } from "./primitives/hashes.ts";

/** The purposes of the keys that go-p2p derives in generation 2. It derives a third key, which it uses nowhere. */
const INFO = {
  challenge: utf8("lthn-p2p-challenge-v1"),
  encrypt: utf8("lthn-p2p-encrypt-v1"),
} as const;

/** A key of generation 2: HKDF-Expand (RFC 5869 §2.3) of the shared secret, without the Extract step. */
export const derivedKey = (secret: Uint8Array, purpose: keyof typeof INFO): Bytes =>
  hkdfExpandSha256(secret, INFO[purpose], KEY_BYTES);
