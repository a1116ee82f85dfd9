/** IDs and keys among the arguments. Their form is checked before any request, so that an error can say what to write. */
import { fromBase64, fromHex, toHex } from "../base/bytes.ts";
import { isCanonicalKey } from "../crypto/identity.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import { PeerId, Uuid } from "../protocol/ids.ts";
import { quotedCommand } from "./command-name.ts";
import { UsageError } from "./failure.ts";

/** The ID of a peer. `name` is the argument or the option, as in `--peer`. */
export function peerId(text: string, name: string): string {
  const id = hexOf(text);
  if (PeerId.safeParse(id).success) return id;
  throw new UsageError(
    `${name} must be the ID of a peer, 32 hex characters, not "${text}"`,
    `${quotedCommand("peers")} lists them`,
  );
}

export const optionalPeerId = (text: string | undefined, name: string): string | undefined =>
  text === undefined ? undefined : peerId(text, name);

export function taskId(text: string, name: string): string {
  const id = text.trim().toLowerCase();
  if (Uuid.safeParse(id).success) return id;
  throw new UsageError(
    `${name} must be the ID of a task, a UUID such as 01890a5d-ac96-4bcd-9f3e-0c7a3a5f8b21, not "${text}"`,
    `${quotedCommand("tasks")} lists them`,
  );
}

/** A public key in the form of the API: lower-case hex. It may be given in base64, too, as go-p2p writes it. */
export function publicKey(text: string, name: string): string {
  const key = keyOf(text);
  if (key === null)
    throw new UsageError(
      `${name} must be a public key, 64 hex characters, not "${text}"`,
      `${quotedCommand("keygen")} and a key file show it`,
    );
  return key;
}

/** A peer's ID, or its public key. */
export function peerIdOrKey(text: string): string {
  const id = hexOf(text);
  if (PeerId.safeParse(id).success) return id;
  const key = keyOf(text);
  if (key !== null) return key;
  throw new UsageError(
    `"${text}" is neither the ID of a peer (32 hex characters) nor a public key (64)`,
    `${quotedCommand("peers")} lists the IDs`,
  );
}

const hexOf = (text: string): string => text.trim().toLowerCase();

/**
 * The key in lower-case hex; null for another text. A key has one canonical encoding: another one of the same key would lead to another
 * ID, so that a revocation of it would bar nobody.
 */
function keyOf(text: string): string | null {
  const bytes = fromHex(hexOf(text)) ?? fromBase64(text.trim());
  if (bytes === null || bytes.length !== KEY_BYTES) return null;
  if (isCanonicalKey(bytes)) return toHex(bytes);
  throw new UsageError(
    `${toHex(bytes)} is not the canonical encoding of a public key`,
    "take the key as its peer shows it: no peer joins with this one",
  );
}
