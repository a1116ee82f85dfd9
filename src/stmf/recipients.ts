import { concat, equalConstantTime, toHex, utf8, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { sharedSecret, type KeyPair } from "../crypto/identity.ts";
import { chachaOpen, chachaSeal, TAG_BYTES } from "../crypto/primitives/chacha.ts";
import { hkdfSha256, hmacSha256 } from "../crypto/primitives/hashes.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import type { StmfFault } from "./errors.ts";

/** The most recipients of one container. Opening tries each stanza; 64 take less time than the key agreement. */
export const RECIPIENTS_MAX = 64;

/**
 * The content key, wrapped for each recipient with a key agreed between sender and recipient (as in age, and in HPKE's
 * DHKEM). A stanza does not identify its recipient: the ephemeral key is new, stanzas are sorted by their bytes, and
 * random stanzas are added up to the next power of two, so that even the number of recipients is hidden.
 */
export interface WrappedKeys {
  /** 48 bytes each. */
  readonly stanzas: readonly Uint8Array[];
  /**
   * HMAC-SHA256 of ephemeral key and stanzas, with a key derived from the content key. It authenticates the header and
   * commits to the content key: a sender can't make two recipients open the same container to different forms.
   */
  readonly mac: Uint8Array;
}

export const STANZA_BYTES = KEY_BYTES + TAG_BYTES;
export const MAC_BYTES = 32;

/** A fixed nonce is safe: each wrapping key is used once, because the ephemeral key is new. */
const NONCE = new Uint8Array(12);
const NO_AAD = new Uint8Array();

const wrappingKey = (secret: Uint8Array, ephemeral: Uint8Array, recipient: Uint8Array): Bytes =>
  hkdfSha256(secret, utf8("muster/stmf wrap"), KEY_BYTES, concat(ephemeral, recipient));

const headerMac = (contentKey: Uint8Array, ephemeral: Uint8Array, stanzas: readonly Uint8Array[]) =>
  hmacSha256(
    hkdfSha256(contentKey, utf8("muster/stmf header"), KEY_BYTES),
    concat(ephemeral, ...stanzas),
  );

/** The key of the payload, derived from the content key, which is never used directly. */
export const payloadKey = (contentKey: Uint8Array): Bytes =>
  hkdfSha256(contentKey, utf8("muster/stmf payload"), KEY_BYTES);

/** Wraps a content key for each of the public keys, which must be distinct. Fault: `public_key_invalid`. */
export function wrapKey(
  contentKey: Uint8Array,
  ephemeral: KeyPair,
  publicKeys: readonly Uint8Array[],
  random: RandomBytes,
): Result<WrappedKeys, StmfFault> {
  const stanzas: Bytes[] = [];
  for (const publicKey of publicKeys) {
    const secret = sharedSecret(ephemeral.privateKey, publicKey);
    if (secret === null) {
      return err({ code: "public_key_invalid", detail: `not ${KEY_BYTES} bytes, or of low order` });
    }
    const key = wrappingKey(secret, ephemeral.publicKey, publicKey);
    stanzas.push(chachaSeal(key, NONCE, contentKey, NO_AAD));
  }
  for (const count = paddedStanzaCount(stanzas.length); stanzas.length < count;) {
    stanzas.push(random(STANZA_BYTES));
  }
  stanzas.sort(byBytes);
  return ok({ stanzas, mac: headerMac(contentKey, ephemeral.publicKey, stanzas) });
}

/**
 * The content key; null when no stanza is for the recipient, or the header was changed. `secret` is the secret agreed
 * between the ephemeral key and the recipient.
 */
export function unwrapKey(
  { stanzas, mac }: WrappedKeys,
  secret: Uint8Array,
  ephemeralPublicKey: Uint8Array,
  recipientPublicKey: Uint8Array,
): Bytes | null {
  const key = wrappingKey(secret, ephemeralPublicKey, recipientPublicKey);
  for (const stanza of stanzas) {
    const contentKey = chachaOpen(key, NONCE, stanza, NO_AAD);
    if (contentKey === null) continue;
    const expected = headerMac(contentKey, ephemeralPublicKey, stanzas);
    return equalConstantTime(mac, expected) ? contentKey : null;
  }
  return null;
}

/** The distinct keys, in the given order, so that a repeated recipient does not get a second stanza. */
export const withoutDuplicates = (publicKeys: readonly Uint8Array[]): readonly Uint8Array[] => [
  ...new Map(publicKeys.map((key) => [toHex(key), key])).values(),
];

const paddedStanzaCount = (recipients: number): number => 2 ** Math.ceil(Math.log2(recipients));

function byBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? 0 : (a[at] as number) - (b[at] as number);
}
