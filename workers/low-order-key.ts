import { fromHex } from "../src/base/bytes.ts";
import { sharedSecret } from "../src/crypto/identity.ts";
import type { MusterError } from "../src/protocol/errors.ts";
import type { MeshConfig } from "../durable/config.ts";

/** The error for a public key (hex) of low order, which no peer can prove; null for a usable key. */
export const lowOrderKeyError = (
  { identities }: MeshConfig,
  publicKey: string,
): MusterError | null =>
  sharedSecret(identities.current.privateKey, fromHex(publicKey) as Uint8Array) === null
    ? {
        code: "bad_key",
        detail:
          "public_key is a point of low order, which no peer can prove; use the public key of an X25519 key pair",
      }
    : null;
