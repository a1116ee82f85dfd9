import { concat, type Bytes } from "../base/bytes.ts";
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from "./primitives/edwards.ts";

const SIGNATURE_BYTES = 64;

/** Verifies an Ed25519 signature (RFC 8032). Asynchronous because WebCrypto is, which is about ten times faster than JavaScript. */
export type VerifyEd25519 = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => Promise<boolean>;

const portableVerify: VerifyEd25519 = async (publicKey, message, signature) =>
  ed25519Verify(publicKey, message, signature);

const ALGORITHM = { name: "Ed25519" };

const nativeVerify: VerifyEd25519 = async (publicKey, message, signature) => {
  if (publicKey.length !== 32 || signature.length !== SIGNATURE_BYTES) return false;
  const key = await crypto.subtle.importKey("raw", concat(publicKey), ALGORITHM, false, ["verify"]);
  return crypto.subtle.verify(ALGORITHM, key, concat(signature), concat(message));
};

let chosen: Promise<VerifyEd25519> | null = null;

/** The runtime's WebCrypto verification if it exists and passes a self-test; otherwise the one in JavaScript. */
export function platformVerify(): Promise<VerifyEd25519> {
  chosen ??= probe();
  return chosen;
}

async function probe(): Promise<VerifyEd25519> {
  const privateKey = new Uint8Array(32).fill(0x5a);
  const message: Bytes = Uint8Array.of(1);
  const publicKey = ed25519PublicKey(privateKey);
  const signature = ed25519Sign(privateKey, message);
  try {
    const right = await nativeVerify(publicKey, message, signature);
    const wrong = await nativeVerify(publicKey, Uint8Array.of(2), signature);
    return right && !wrong ? nativeVerify : portableVerify;
  } catch {
    return portableVerify; // WebCrypto is missing or does not support Ed25519
  }
}
