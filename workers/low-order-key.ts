import { fromHex } from "../src/base/bytes.ts";
import { sharedSecret } from "../src/crypto/identity.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { MeshConfig } from "../durable/config.ts";

/** What is wrong with a public key (hex) that no peer could ever prove; null when one could. */
export const lowOrderKeyError = (
  { identities }: MeshConfig,
  publicKey: string,
): MusterError | null =>
  sharedSecret(identities.current.privateKey, fromHex(publicKey) as Uint8Array) === null
    ? { code: "bad_key", detail: "no peer can prove a key of low order" }
    : null;
