import { fromBase64, toBase64, type Bytes } from "../base/bytes.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { decodeContainer, encodeContainer } from "../crypto/trix.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import type { StmfFault } from "./errors.ts";
import { MAC_BYTES, RECIPIENTS_MAX, STANZA_BYTES, type WrappedKeys } from "./recipients.ts";

const MAGIC = "STMF";
const VERSION = "1.0";
/** Borg's: the payload's key follows from the one recipient's. */
const FOR_ONE = "x25519-chacha20poly1305";
/** Muster's own: the payload's key is wrapped for each recipient. Borg's code refuses it. */
const FOR_SEVERAL = "muster-x25519-chacha20poly1305-multi";

/** Room for a file of 25 MiB in base64, the rest of its form, and the container around it. */
export const CONTAINER_BYTES_MAX = 36 * 1_024 * 1_024;
const BASE64_CHARS_MAX = 4 * Math.ceil(CONTAINER_BYTES_MAX / 3);

/** An STMF container taken apart. */
export interface SealedContainer {
  /** The sender's one-use public key. */
  readonly ephemeralPublicKey: Uint8Array;
  /** Only in a container for several recipients. */
  readonly wrapped?: WrappedKeys;
  /** The sealed form (crypto/sigil.ts). */
  readonly payload: Uint8Array;
}

/** What anybody sees of a container; null where the header has something else than it should. */
export interface SealedInfo {
  readonly algorithm: string | null;
  readonly version: string | null;
  readonly ephemeralPublicKey: Bytes | null;
  /** Keys that may open it, at most: 1 in Borg's format, otherwise the stanzas, filling included. */
  readonly places: number;
  readonly payloadBytes: number;
}

/**
 * Borg's STMF 1.0: `STMF`, 2, header length, header, payload (see crypto/trix.ts). The header's keys stand in
 * alphabetical order, as Go writes a map, and without spaces: Borg's PHP library reads headers below 128 bytes only,
 * and the one for a single recipient has 117.
 */
export const encodeStmf = ({ ephemeralPublicKey, wrapped, payload }: SealedContainer): Bytes =>
  encodeContainer(MAGIC, {
    header: {
      algorithm: wrapped ? FOR_SEVERAL : FOR_ONE,
      ephemeral_pk: toBase64(ephemeralPublicKey),
      ...(wrapped && { keys: wrapped.stanzas.map(toBase64), mac: toBase64(wrapped.mac) }),
      version: VERSION,
    },
    payload,
  });

/**
 * Takes an STMF container apart; nothing is decrypted. `container_invalid`, `container_unsupported` or
 * `container_too_large`. The header of one for a single recipient is not authenticated: a changed key in it makes a
 * payload that does not open.
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
    ? invalid(`keys are not 1 to ${RECIPIENTS_MAX} of ${STANZA_BYTES} bytes, or mac is no MAC`)
    : ok({ ephemeralPublicKey, wrapped, payload });
}

/** What a container says of itself, also one that is of no algorithm known here; nothing is decrypted. */
export function readInfo(data: Uint8Array): Result<SealedInfo, StmfFault> {
  const container = readContainer(data);
  if (!container.ok) return container;
  const { header, payload } = container.value;
  const { algorithm, version, keys } = header;
  return ok({
    algorithm: textIn(algorithm),
    version: textIn(version),
    ephemeralPublicKey: bytesIn(header["ephemeral_pk"], KEY_BYTES),
    places: Array.isArray(keys) ? keys.length : 1,
    payloadBytes: payload.length,
  });
}

/** The container in base64, as Borg's forms carry it; `container_too_large` before it is decoded. */
export function containerFromBase64(text: string): Result<Bytes, StmfFault> {
  if (text.length > BASE64_CHARS_MAX) return tooLarge(`${text.length} characters of base64`);
  const data = fromBase64(text);
  return data === null ? invalid("not base64, or not as it is written") : ok(data);
}

function readContainer(data: Uint8Array) {
  return data.length > CONTAINER_BYTES_MAX
    ? tooLarge(`a container of ${data.length} bytes`)
    : decodeContainer(MAGIC, data);
}

function wrappedKeysIn({ keys, mac }: JsonObject): WrappedKeys | null {
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > RECIPIENTS_MAX) return null;
  const stanzas = keys.flatMap((key) => bytesIn(key, STANZA_BYTES) ?? []);
  const macBytes = bytesIn(mac, MAC_BYTES);
  return stanzas.length === keys.length && macBytes ? { stanzas, mac: macBytes } : null;
}

const textIn = (value: Json | undefined): string | null =>
  typeof value === "string" ? value : null;

/** The bytes that a text of base64 stands for, if they are so many. */
function bytesIn(value: Json | undefined, length: number): Bytes | null {
  const bytes = typeof value === "string" ? fromBase64(value) : null;
  return bytes?.length === length ? bytes : null;
}

const invalid = (detail: string) => err<StmfFault>({ code: "container_invalid", detail });

const unsupported = (part: string, expected: string) =>
  err<StmfFault>({
    code: "container_unsupported",
    detail: `the header's ${part} is not ${expected}`,
  });

export const tooLarge = (what: string) =>
  err<StmfFault>({
    code: "container_too_large",
    detail: `${what}, and a container has at most ${CONTAINER_BYTES_MAX} bytes`,
  });
