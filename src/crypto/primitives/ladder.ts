import { pow } from "@noble/curves/abstract/modular.js";
import { montgomery } from "@noble/curves/abstract/montgomery.js";
import type { Bytes } from "../../base/bytes.ts";

/**
 * X25519 by the Montgomery ladder alone (RFC 7748 §5). It has the same results. A public key takes three times as long, but needs no
 * code for Edwards curves: what only the SDK calls, a few times, uses it.
 */
const ladder = /* @__PURE__ */ montgomery({
  P: 2n ** 255n - 19n,
  type: "x25519",
  powPminus2: (x) => pow(x, 2n ** 255n - 21n, 2n ** 255n - 19n),
  adjustScalarBytes: (bytes: Uint8Array) => {
    bytes[0] = (bytes[0] as number) & 0xf8;
    bytes[31] = ((bytes[31] as number) & 0x7f) | 0x40;
    return bytes;
  },
});

export const ladderPublicKey = (privateKey: Uint8Array): Bytes => ladder.getPublicKey(privateKey);

/**
 * X25519 (RFC 7748 §5); null when the result is all zeros. The public key is then of low order, and the secret would be
 * public knowledge (RFC 7748 §6.1).
 */
export function x25519Agree(privateKey: Uint8Array, publicKey: Uint8Array): Bytes | null {
  try {
    return ladder.getSharedSecret(privateKey, publicKey);
  } catch {
    return null; // wrong length or low order: @noble throws for both
  }
}
