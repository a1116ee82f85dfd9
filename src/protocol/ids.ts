import { z } from "zod";
import { fromBase64, fromHex } from "../base/bytes.ts";
import { KEY_BYTES, PEER_ID_BYTES } from "./constants.ts";

export { newOpaqueId, newUuid } from "./random-ids.ts";

const hexOf = (bytes: number) => new RegExp(`^[0-9a-f]{${2 * bytes}}$`);

/** First 16 bytes of SHA-256(X25519 public key), as 32 lower-case hex characters. */
export const PeerId = z
  .string()
  .regex(hexOf(PEER_ID_BYTES), "a peer ID is 32 lower-case hex characters")
  .meta({
    description: "First 16 bytes of SHA-256 of the peer's public key, in hex",
    example: "9f86d081884c7d659a2feaa0c55ad015",
  });
export type PeerId = z.infer<typeof PeerId>;

/** An X25519 public key in the HTTP API: 64 lower-case hex characters. */
export const PublicKeyHex = z
  .string()
  .regex(hexOf(KEY_BYTES), "a public key is 64 lower-case hex characters")
  .meta({ description: "X25519 public key, in hex" });

/** An X25519 public key in go-p2p messages: base64 of exactly 32 bytes. */
export const PublicKeyBase64 = z
  .string()
  .refine(
    (text) => fromBase64(text)?.length === KEY_BYTES,
    "a public key is the base64 of 32 bytes",
  );

/**
 * A display name: empty, or 1 to 64 letters, digits, `-`, `_` and spaces that begin and end with a letter or digit
 * (go-p2p's rule).
 */
export const Name = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9](?:[A-Za-z0-9_ -]{0,62}[A-Za-z0-9])?)?$/,
    "a name is empty, or 1 to 64 letters, digits, '-', '_' and space, beginning and ending with a letter or digit",
  );

/** A name that is part of a URL (of a webhook source). */
export const Slug = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/,
    "1 to 64 of a-z, 0-9 and '-', beginning and ending with a letter or digit",
  );

/** The random ID of a pointer or blob: 32 hex characters. */
export const OpaqueId = z.string().regex(hexOf(16), "an ID of 32 lower-case hex characters");

export const Uuid = z.uuid("a task ID is a UUID");

/**
 * Identifies a submission, so that repeating it has no further effect. White space around it does not count, as HTTP has it for
 * the value of a header.
 */
export const IdempotencyKey = z
  .string()
  .trim()
  .regex(
    /^[\x20-\x7e]{1,255}$/,
    "an idempotency key is 1 to 255 printable ASCII characters, spaces included",
  );

/** The 32 bytes of a key in hex or base64; null for any other text. For secrets and configuration. */
export function keyBytes(text: string): Uint8Array<ArrayBuffer> | null {
  const bytes = fromHex(text) ?? fromBase64(text);
  return bytes?.length === KEY_BYTES ? bytes : null;
}
