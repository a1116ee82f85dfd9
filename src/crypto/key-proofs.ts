import { concat, equalConstantTime, fromHex, toHex, utf8, type Bytes } from "../base/bytes.ts";
import { hmacSha256, sha256, x25519Agree } from "./primitives.ts";
import type { X25519 } from "./x25519.ts";

/**
 * Proofs of holding an X25519 key, for whoever holds the other one: a MAC under a key that follows from the agreement of
 * the two and from the proof's purpose, so that one made for one purpose serves no other.
 */
const macOf = (purpose: string, agreed: Uint8Array, statement: string): Bytes =>
  hmacSha256(sha256(concat(utf8(purpose), agreed)), utf8(statement));

const matches = (mac: Uint8Array | null, proof: string): boolean => {
  const shown = fromHex(proof);
  return mac !== null && shown !== null && equalConstantTime(mac, shown);
};

/** One's own private key and the other side's public key. */
export interface AgreementKeys {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** The MAC in a connecting peer's URL (DESIGN §3); null for a public key of low order. */
async function connectMac(
  curve: X25519,
  keys: AgreementKeys,
  host: string,
  unixSeconds: number,
): Promise<Bytes | null> {
  const agreed = await curve.agree(keys.privateKey, keys.publicKey);
  return agreed === null ? null : macOf("muster/2 connect", agreed, `${host}${unixSeconds}`);
}

export async function makeConnectProof(
  curve: X25519,
  keys: AgreementKeys,
  host: string,
  unixSeconds: number,
): Promise<string | null> {
  const mac = await connectMac(curve, keys, host, unixSeconds);
  return mac === null ? null : toHex(mac);
}

export const verifyConnectProof = async (
  curve: X25519,
  keys: AgreementKeys,
  host: string,
  unixSeconds: number,
  proof: string,
): Promise<boolean> => matches(await connectMac(curve, keys, host, unixSeconds), proof);

/** Rotations are rare: plain code serves, and keeps the session's step synchronous. */
function rotationMac(keys: AgreementKeys, oldId: string, newPublicKey: string): Bytes | null {
  const agreed = x25519Agree(keys.privateKey, keys.publicKey);
  return agreed === null ? null : macOf("muster/2 rotate", agreed, `${oldId}${newPublicKey}`);
}

/** The proof in `rotate`: that the sender, known by its old ID, holds the new private key too. */
export function makeRotationProof(
  keys: AgreementKeys,
  oldId: string,
  newPublicKey: string,
): string | null {
  const mac = rotationMac(keys, oldId, newPublicKey);
  return mac === null ? null : toHex(mac);
}

export const verifyRotationProof = (
  keys: AgreementKeys,
  oldId: string,
  newPublicKey: string,
  proof: string,
): boolean => matches(rotationMac(keys, oldId, newPublicKey), proof);
