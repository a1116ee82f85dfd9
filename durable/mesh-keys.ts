import { toHex, type Bytes } from "../src/base/bytes.ts";
import type { Millis } from "../src/base/clock.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { KeyPair } from "../src/crypto/identity.ts";
import { keyPairFrom } from "../src/crypto/key-pairs.ts";
import { ed25519PublicKey } from "../src/crypto/primitives.ts";
import { ROTATION_WINDOW } from "../src/protocol/constants.ts";
import type { ConfigVariables } from "./config-variables.ts";

/** The mesh's identity, and while it rotates the next one, which is accepted beside the current one. */
export interface MeshIdentities {
  readonly current: KeyPair;
  readonly next: KeyPair | null;
}

/**
 * A rotation is configuration: until it ends, the mesh accepts both keys and announces the next one to its peers; afterwards the
 * next key is the mesh's identity, whether or not the operator has moved it to MESH_IDENTITY_KEY. The error is a text for the
 * operator.
 */
export function readIdentities(
  variables: ConfigVariables,
  now: Millis,
): Result<MeshIdentities, string> {
  const current = keyPairOf(variables.MESH_IDENTITY_KEY);
  if (variables.MESH_IDENTITY_KEY_NEXT === undefined) return ok({ current, next: null });
  const next = keyPairOf(variables.MESH_IDENTITY_KEY_NEXT);
  const ends = Date.parse(variables.MESH_ROTATION_ENDS ?? "");
  if (Number.isNaN(ends)) return err("MESH_ROTATION_ENDS is missing beside MESH_IDENTITY_KEY_NEXT");
  if (ends - now > ROTATION_WINDOW) return err("MESH_ROTATION_ENDS is more than 30 days ahead");
  return ok(now < ends ? { current, next } : { current: next, next: null });
}

/** Whether all keys differ: each has one purpose, so that a leak of one affects that purpose only. */
export function areKeysDistinct(variables: ConfigVariables): boolean {
  const { MESH_IDENTITY_KEY_NEXT: next } = variables;
  const keys = [
    variables.MESH_IDENTITY_KEY,
    variables.MESH_DISCOVERY_KEY,
    variables.MESH_SIGNING_KEY,
    ...(next === undefined ? [] : [next]),
  ].map(toHex);
  return new Set(keys).size === keys.length;
}

const keyPairs = new Map<string, KeyPair>();

/** The key pair of a private key. Cached, because every request and every new object needs it. */
export function keyPairOf(privateKey: Bytes): KeyPair {
  const name = toHex(privateKey);
  const pair = keyPairs.get(name) ?? keyPairFrom(privateKey);
  keyPairs.set(name, pair);
  return pair;
}

const verifyingKeys = new Map<string, Bytes>();

/** The public half of a signing key; cached, too. */
export function verifyingKeyOf(signingKey: Bytes): Bytes {
  const name = toHex(signingKey);
  const key = verifyingKeys.get(name) ?? ed25519PublicKey(signingKey);
  verifyingKeys.set(name, key);
  return key;
}
