import { equalConstantTime, fromHex, toHex, utf8, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { hkdfSha256, hmacSha256, sha256 } from "../crypto/primitives.ts";

/** `mst`: an API token. `mjk`: a join key. The prefix identifies the secret for people and for scanners of leaked secrets. */
export type CredentialKind = "mst" | "mjk";

/**
 * A bearer secret, shown once when it is created: `mst_` + ID (8 bytes) + secret (32 bytes) + check (8 bytes), in hex. The
 * ID is not secret. The check is a MAC of the rest with a key of the mesh, so that an invented credential is refused
 * without reading any storage.
 */
export interface Credential {
  readonly text: string;
  readonly id: string;
  /** SHA-256 of the text, which is what the mesh stores. The secret is random, so a fast hash is sufficient. */
  readonly hash: string;
}

const ID_BYTES = 8;
const SECRET_BYTES = 32;
const CHECK_BYTES = 8;

/** The key of the checks, derived from the mesh's signing key. */
export const credentialKey = (signingPrivateKey: Uint8Array): Bytes =>
  hkdfSha256(signingPrivateKey, utf8("muster/credential check v1"), 32);

const credentialOf = (text: string, id: string): Credential => ({
  text,
  id,
  hash: toHex(sha256(utf8(text))),
});

const checkOf = (key: Uint8Array, kind: CredentialKind, body: string): string =>
  toHex(hmacSha256(key, utf8(`${kind}_${body}`)).subarray(0, CHECK_BYTES));

/** Creates a credential. The caller stores its ID and hash and shows its text once. */
export function newCredential(
  kind: CredentialKind,
  key: Uint8Array,
  random: RandomBytes,
): Credential {
  const body = toHex(random(ID_BYTES + SECRET_BYTES));
  return credentialOf(`${kind}_${body}${checkOf(key, kind, body)}`, body.slice(0, 2 * ID_BYTES));
}

/** Parses a credential; null for one that this mesh did not create. The registry decides whether it is still valid. */
export function readCredential(
  kind: CredentialKind,
  key: Uint8Array,
  text: string,
): Credential | null {
  const hex = text.startsWith(`${kind}_`) ? text.slice(kind.length + 1) : "";
  if (hex.length !== 2 * (ID_BYTES + SECRET_BYTES + CHECK_BYTES) || fromHex(hex) === null)
    return null;
  const body = hex.slice(0, -2 * CHECK_BYTES);
  const check = hex.slice(-2 * CHECK_BYTES);
  if (!equalConstantTime(utf8(check), utf8(checkOf(key, kind, body)))) return null;
  return credentialOf(text, body.slice(0, 2 * ID_BYTES));
}
