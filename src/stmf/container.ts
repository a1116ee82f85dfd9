import { fromBase64, toBase64, type Bytes } from "../base/bytes.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { decodeContainer, encodeContainer } from "../crypto/trix.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import type { StmfFault } from "./errors.ts";
import { MAC_BYTES, RECIPIENTS_MAX, STANZA_BYTES, type WrappedKeys } from "./recipients.ts";

/** How every container begins. */
export const STMF_MAGIC = "STMF";
const VERSION = "1.0";
/** Borg's algorithm: the payload key is derived from the single recipient's key. */
const FOR_ONE = "x25519-chacha20poly1305";
/** Muster's algorithm: the payload key is wrapped for each recipient. Borg refuses it. */
const FOR_SEVERAL = "muster-x25519-chacha20poly1305-multi";

/** Enough for a file of 25 MiB in base64, the rest of its form and the container around it. */
export const CONTAINER_BYTES_MAX = 36 * 1_024 * 1_024;
const BASE64_CHARS_MAX = 4 * Math.ceil(CONTAINER_BYTES_MAX / 3);

/** The parts of an STMF container. */
export interface SealedContainer {
  /** The sender's public key, which is used once. */
  readonly ephemeralPublicKey: Uint8Array;
  /** Present only in a container for several recipients. */
  readonly wrapped?: WrappedKeys;
  /** The sealed form (crypto/sigil.ts). */
  readonly payload: Uint8Array;
}

/** What is readable without a key; null for header fields that are missing or have the wrong type. */
export interface SealedInfo {
  readonly algorithm: string | null;
  readonly version: string | null;
  readonly ephemeralPublicKey: Bytes | null;
  /** The largest possible number of recipients: 1 in Borg's format, otherwise the number of stanzas including padding. */
  readonly recipientsMax: number;
  readonly payloadBytes: number;
}

/**
 * Encodes STMF 1.0: `STMF`, 2, header length, header, payload (see crypto/trix.ts). The header's keys are sorted, as Go
 * writes a map, and there are no spaces: Borg's PHP library only reads headers shorter than 128 bytes, and the header for
 * a single recipient has 117.
 */
export const encodeStmf = ({ ephemeralPublicKey, wrapped, payload }: SealedContainer): Bytes =>
  encodeContainer(STMF_MAGIC, {
    header: {
      algorithm: wrapped ? FOR_SEVERAL : FOR_ONE,
      ephemeral_pk: toBase64(ephemeralPublicKey),
      ...(wrapped && { keys: wrapped.stanzas.map(toBase64), mac: toBase64(wrapped.mac) }),
      version: VERSION,
    },
    payload,
  });

/**
 * Parses an STMF container without decrypting it. Faults: `container_invalid`, `container_unsupported`,
 * `container_too_large`. The header for a single recipient is not authenticated, but with a changed key in it the payload
 * does not open.
 */
export function decodeStmf(data: Uint8Array): Result<SealedContainer, StmfFault> {
  const container = readContainer(data);
  if (!container.ok) return container;
  const { header, payload } = container.value;
  const { algorithm } = header;
  if (algorithm !== FOR_ONE && algorithm !== FOR_SEVERAL) return unsupported("algorithm", FOR_ONE);
  if (header["version"] !== VERSION) return unsupported("version", VERSION);
  const ephemeralPublicKey = bytesIn(header["ephemeral_pk"], KEY_BYTES);
  if (ephemeralPublicKey === null) {
    return invalid(`ephemeral_pk is not the base64 of ${KEY_BYTES} bytes`);
  }
  if (algorithm === FOR_ONE) return ok({ ephemeralPublicKey, payload });
  const wrapped = wrappedKeysIn(header);
  return wrapped === null
    ? invalid(
        `keys must be 1 to ${RECIPIENTS_MAX} stanzas of ${STANZA_BYTES} bytes, and mac must have ${MAC_BYTES} bytes`,
      )
    : ok({ ephemeralPublicKey, wrapped, payload });
}

/** The readable part of a container, even one with an unknown algorithm. Nothing is decrypted. */
export function readInfo(data: Uint8Array): Result<SealedInfo, StmfFault> {
  const container = readContainer(data);
  if (!container.ok) return container;
  const { header, payload } = container.value;
  const { algorithm, version, keys } = header;
  return ok({
    algorithm: textIn(algorithm),
    version: textIn(version),
    ephemeralPublicKey: bytesIn(header["ephemeral_pk"], KEY_BYTES),
    recipientsMax: Array.isArray(keys) ? keys.length : 1,
    payloadBytes: payload.length,
  });
}

/** Decodes a container from base64, as Borg's form posts contain it. The size is checked before decoding. */
export function containerFromBase64(text: string): Result<Bytes, StmfFault> {
  if (text.length > BASE64_CHARS_MAX) return tooLarge(`${text.length} characters of base64`);
  const data = fromBase64(text);
  return data === null ? invalid("not canonical base64") : ok(data);
}

function readContainer(data: Uint8Array) {
  return data.length > CONTAINER_BYTES_MAX
    ? tooLarge(`a container of ${data.length} bytes`)
    : decodeContainer(STMF_MAGIC, data);
}

function wrappedKeysIn({ keys, mac }: JsonObject): WrappedKeys | null {
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > RECIPIENTS_MAX) return null;
  const stanzas = keys.flatMap((key) => bytesIn(key, STANZA_BYTES) ?? []);
  const macBytes = bytesIn(mac, MAC_BYTES);
  return stanzas.length === keys.length && macBytes ? { stanzas, mac: macBytes } : null;
}

const textIn = (value: Json | undefined): string | null =>
  typeof value === "string" ? value : null;

/** The bytes of a base64 text; null unless there are exactly `length`. */
function bytesIn(value: Json | undefined, length: number): Bytes | null {
  const bytes = typeof value === "string" ? fromBase64(value) : null;
  return bytes?.length === length ? bytes : null;
}

const invalid = (detail: string) => err<StmfFault>({ code: "container_invalid", detail });

const unsupported = (part: string, expected: string) =>
  err<StmfFault>({
    code: "container_unsupported",
    detail: `the header's ${part} must be ${expected}`,
  });

export const tooLarge = (what: string) =>
  err<StmfFault>({
    code: "container_too_large",
    detail: `${what}: a container has at most ${CONTAINER_BYTES_MAX} bytes`,
  });
