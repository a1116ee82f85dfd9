/**
 * The public API of STMF, Borg's sealed forms: the exports of `muster-mesh/stmf`. A function that can fail in expected ways
 * throws a `StmfError` with a stable `code`; the internal functions return the same faults as values.
 */
import { fromBase64, toBase64, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { keyPairFrom, newKeyPair } from "../crypto/key-pairs.ts";
import { platformRandom } from "../crypto/primitives/random.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import { containerFromBase64, decodeStmf, readInfo, type SealedInfo } from "./container.ts";
import { StmfError, type StmfFault } from "./errors.ts";
import type { FormData } from "./form.ts";
import { makePointer, openPointer, type BlobReader, type Pointer } from "./pointer.ts";
import { openForm, sealForm, sealFormForAll } from "./seal.ts";

export { CONTAINER_BYTES_MAX, type SealedInfo } from "./container.ts";
export { StmfError, type StmfErrorCode } from "./errors.ts";
export {
  fileContent,
  fileField,
  formOf,
  textField,
  valueOf,
  valuesOf,
  webFormOf,
} from "./fields.ts";
export type { Field, FormData } from "./form.ts";
export type { BlobReader, Pointer } from "./pointer.ts";
export { RECIPIENTS_MAX } from "./recipients.ts";

/** The field of a form post that contains the container in base64. */
export const PAYLOAD_FIELD = "_stmf_payload";

/** An X25519 key: 32 bytes, or base64, which is how Borg writes keys. */
export type Key = Uint8Array | string;

/** A container: its bytes, or base64, which is how a form post contains it. */
export type Container = Uint8Array | string;

/** A recipient's key pair: publish the public key, keep the private key secret. */
export interface RecipientKeys {
  readonly privateKey: Bytes;
  readonly publicKey: Bytes;
}

export function generateKeyPair(random: RandomBytes = platformRandom): RecipientKeys {
  const { privateKey, publicKey } = newKeyPair(random);
  return { privateKey, publicKey };
}

/** The public key of a private key. */
export function publicKeyOf(privateKey: Key): Bytes {
  const bytes = keyBytes(privateKey);
  return orThrow(
    bytes.length === KEY_BYTES
      ? ok(keyPairFrom(Uint8Array.from(bytes)).publicKey)
      : err({ code: "private_key_invalid", detail: `a private key has ${KEY_BYTES} bytes` }),
  );
}

/**
 * Seals a form. For one public key, the result is a container that Borg's Go and PHP libraries open. For several, each of
 * the private keys opens it; this is Muster's own format, and it does not reveal the recipients.
 */
export async function encrypt(
  form: FormData,
  recipients: Key | readonly Key[],
  random: RandomBytes = platformRandom,
): Promise<Bytes> {
  return orThrow(
    isKey(recipients)
      ? sealForm(form, keyBytes(recipients), random)
      : sealFormForAll(form, recipients.map(keyBytes), random),
  );
}

/** Like `encrypt`, in base64: the value of the form field `PAYLOAD_FIELD`. */
export const encryptBase64 = async (
  form: FormData,
  recipients: Key | readonly Key[],
  random: RandomBytes = platformRandom,
): Promise<string> => toBase64(await encrypt(form, recipients, random));

/** Opens a container with the private key of one of its recipients. */
export async function decrypt(container: Container, privateKey: Key): Promise<FormData> {
  const data = orThrow(containerBytes(container));
  return orThrow(openForm(data, keyBytes(privateKey)));
}

/** Whether this is a well-formed, supported container. It needs no key, so it can't check whether the payload opens. */
export function validate(container: Container): boolean {
  const data = containerBytes(container);
  return data.ok && decodeStmf(data.value).ok;
}

/** The readable part of a container, even one with an unknown algorithm. It needs no key. */
export const inspect = (container: Container): SealedInfo => {
  const data = orThrow(containerBytes(container));
  return orThrow(readInfo(data));
};

/** A pointer to a blob, with a new random ID. `metadata` is public: it must not identify the peer. */
export const newPointer = (
  blobId: string,
  metadata: Pointer["metadata"] = {},
  random: RandomBytes = platformRandom,
): Pointer => makePointer(blobId, metadata, random);

/** Fetches the blob of a pointer and opens it. Errors of `blobs.get` are passed through. */
export async function resolve(
  pointer: Pointer,
  privateKey: Uint8Array,
  blobs: BlobReader,
): Promise<FormData> {
  return orThrow(await openPointer(pointer, privateKey, blobs));
}

const isKey = (key: Key | readonly Key[]): key is Key => !Array.isArray(key);

/** Text that is not base64 becomes an empty key, which is refused for its length. */
const keyBytes = (key: Key): Uint8Array =>
  typeof key === "string" ? (fromBase64(key) ?? new Uint8Array()) : key;

const containerBytes = (container: Container): Result<Uint8Array, StmfFault> =>
  typeof container === "string" ? containerFromBase64(container) : ok(container);

function orThrow<T>(result: Result<T, StmfFault>): T {
  if (!result.ok) throw new StmfError(result.error);
  return result.value;
}
