import { concat, equalConstantTime, fromHex, toHex, utf8, type Bytes } from "../base/bytes.ts";
import { hmacSha256, sha256 } from "./primitives/hashes.ts";
import { x25519Agree } from "./primitives/ladder.ts";
import type { X25519 } from "./x25519.ts";

/**
 * Proofs that a sender holds an X25519 private key, for a receiver with a key pair of its own. The MAC key is derived from
 * the agreed secret and the proof's purpose, so that a proof made for one purpose is invalid for any other.
 */
const macOf = (purpose: string, agreed: Uint8Array, statement: string): Bytes =>
  hmacSha256(sha256(concat(utf8(purpose), agreed)), utf8(statement));

const matches = (mac: Uint8Array | null, proof: string): boolean => {
  const shown = fromHex(proof);
  return mac !== null && shown !== null && equalConstantTime(mac, shown);
};

/** The own private key and the other side's public key. */
export interface AgreementKeys {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** The MAC in a connecting peer's URL; null for a public key of low order. */
async function connectMac(
  curve: X25519,
  keys: AgreementKeys,
  host: string,
  unixSeconds: number,
): Promise<Bytes | null> {
  const agreed = await curve.agree(keys.privateKey, keys.publicKey);
  return agreed === null ? null : macOf("muster/2 connect", agreed, `${host}${unixSeconds}`);
}

/** The proof that a connecting peer puts into its URL, in hex; null for a public key of low order. */
export async function makeConnectProof(
  curve: X25519,
  keys: AgreementKeys,
  host: string,
  unixSeconds: number,
): Promise<string | null> {
  const mac = await connectMac(curve, keys, host, unixSeconds);
  return mac === null ? null : toHex(mac);
}

/** Verifies the proof in a connecting peer's URL. The caller checks that the time is within the clock skew allowed. */
export const verifyConnectProof = async (
  curve: X25519,
  keys: AgreementKeys,
  host: string,
  unixSeconds: number,
  proof: string,
): Promise<boolean> => matches(await connectMac(curve, keys, host, unixSeconds), proof);

/** What a mesh states of itself under its identity key: its Ed25519 signing key in hex, and its time (RFC 3339). */
export interface MeshStatement {
  readonly signing_key: string;
  readonly time: string;
}

/** `challenge`: the caller's public key in hex, made for this one proof. */
async function meshMac(
  curve: X25519,
  keys: AgreementKeys,
  challenge: string,
  { signing_key: signingKey, time }: MeshStatement,
): Promise<Bytes | null> {
  const agreed = await curve.agree(keys.privateKey, keys.publicKey);
  return agreed === null ? null : macOf("muster/2 mesh", agreed, challenge + signingKey + time);
}

/**
 * The proof, in hex, that the holder of a mesh's identity key states this, made for a caller with a fresh key: it can't be repeated to
 * another caller or later. Null for a public key of low order.
 */
export async function makeMeshProof(
  curve: X25519,
  keys: AgreementKeys,
  challenge: string,
  statement: MeshStatement,
): Promise<string | null> {
  const mac = await meshMac(curve, keys, challenge, statement);
  return mac === null ? null : toHex(mac);
}

/** Verifies such a proof, with the private key of the challenge and the mesh's public key. */
export const verifyMeshProof = async (
  curve: X25519,
  keys: AgreementKeys,
  challenge: string,
  statement: MeshStatement,
  proof: string,
): Promise<boolean> => matches(await meshMac(curve, keys, challenge, statement), proof);

/** Uses X25519 in JavaScript: rotations are rare, and this keeps the session's step function synchronous. */
function rotationMac(keys: AgreementKeys, oldId: string, newPublicKey: string): Bytes | null {
  const agreed = x25519Agree(keys.privateKey, keys.publicKey);
  return agreed === null ? null : macOf("muster/2 rotate", agreed, `${oldId}${newPublicKey}`);
}

/** The proof in `rotate` that the sender, identified by its old ID, holds the new private key. Null for a key of low order. */
export function makeRotationProof(
  keys: AgreementKeys,
  oldId: string,
  newPublicKey: string,
): string | null {
  const mac = rotationMac(keys, oldId, newPublicKey);
  return mac === null ? null : toHex(mac);
}

/** Verifies the proof in `rotate`. */
export const verifyRotationProof = (
  keys: AgreementKeys,
  oldId: string,
  newPublicKey: string,
  proof: string,
): boolean => matches(rotationMac(keys, oldId, newPublicKey), proof);
