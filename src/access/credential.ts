import { equalConstantTime, fromHex, toHex, utf8, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { hkdfSha256, hmacSha256, sha256 } from "../crypto/primitives.ts";

/** `mst`: an API token. `mjk`: a join key. The prefix says to people, and to scanners for leaked secrets, what it is. */
export type CredentialKind = "mst" | "mjk";

/**
 * A bearer secret as it is handed out, once: `mst_` + ID (8 bytes) + secret (32 bytes) + check (8 bytes), in hex. The ID
 * may be shown and listed. The check is a MAC of the rest under a key of the mesh: one that was made up is told from a
 * real one without a look into any store.
 */
export interface Credential {
  readonly text: string;
  readonly id: string;
  /** What is stored: SHA-256 of the text. The secret is random, so no slow hash is needed. */
  readonly hash: string;
}

const ID_BYTES = 8;
const SECRET_BYTES = 32;
const CHECK_BYTES = 8;

/** The key of the checks, from the mesh's signing key. */
export const credentialKey = (signingPrivateKey: Uint8Array): Bytes =>
  hkdfSha256(signingPrivateKey, utf8("muster/credential check v1"), 32);

const credentialOf = (text: string, id: string): Credential => ({
  text,
  id,
  hash: toHex(sha256(utf8(text))),
});

const checkOf = (key: Uint8Array, kind: CredentialKind, body: string): string =>
  toHex(hmacSha256(key, utf8(`${kind}_${body}`)).subarray(0, CHECK_BYTES));

export function newCredential(
  kind: CredentialKind,
  key: Uint8Array,
  random: RandomBytes,
): Credential {
  const body = toHex(random(ID_BYTES + SECRET_BYTES));
  return credentialOf(`${kind}_${body}${checkOf(key, kind, body)}`, body.slice(0, 2 * ID_BYTES));
}

/** Reads a credential; null for one that this mesh can't have made. Whether it still holds, the registry says. */
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
