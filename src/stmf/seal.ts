import { concat, type Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { sharedSecret } from "../crypto/identity.ts";
import { keyPairFrom, newKeyPair } from "../crypto/key-pairs.ts";
import { openSigil, sealSigil } from "../crypto/sigil.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import {
  CONTAINER_BYTES_MAX,
  decodeStmf,
  encodeStmf,
  tooLarge,
  type SealedContainer,
} from "./container.ts";
import type { StmfFault } from "./errors.ts";
import { readForm, writeForm, type FormData } from "./form.ts";
import { withoutDuplicates, payloadKey, RECIPIENTS_MAX, unwrapKey, wrapKey } from "./recipients.ts";

/** Bytes of header, nonce and tag around a plaintext, rounded up. The largest header, for 64 recipients, has 4,600. */
const OVERHEAD_MAX = 8 * 1_024;

/**
 * Seals a form to one X25519 public key: key = SHA-256(X25519(ephemeral, recipient)), with a new ephemeral key each time.
 * Anyone can seal, so opening proves nothing about the sender. Faults: `public_key_invalid`, `form_invalid`,
 * `container_too_large`.
 *
 * Never seal to an identity key: go-p2p's handshake derives its secret in the same way and MACs chosen input with it.
 */
export function sealForm(
  form: FormData,
  recipientPublicKey: Uint8Array,
  random: RandomBytes,
): Result<Bytes, StmfFault> {
  const plaintext = plaintextOf(form);
  if (!plaintext.ok) return plaintext;
  const ephemeral = newKeyPair(random);
  const key = sharedSecret(ephemeral.privateKey, recipientPublicKey);
  if (key === null) {
    return err({ code: "public_key_invalid", detail: `not ${KEY_BYTES} bytes, or of low order` });
  }
  return ok(
    encodeStmf({
      ephemeralPublicKey: ephemeral.publicKey,
      payload: sealSigil(key, plaintext.value, random),
    }),
  );
}

/**
 * Seals a form to several public keys; each of the private keys opens the container. For a single key, the result is that
 * of `sealForm`. Faults: those of `sealForm`, and `recipients_invalid`.
 */
export function sealFormForAll(
  form: FormData,
  recipientPublicKeys: readonly Uint8Array[],
  random: RandomBytes,
): Result<Bytes, StmfFault> {
  if (recipientPublicKeys.length > RECIPIENTS_MAX) return recipientsInvalid();
  const publicKeys = withoutDuplicates(recipientPublicKeys);
  const [first] = publicKeys;
  if (first === undefined) return recipientsInvalid();
  if (publicKeys.length === 1) return sealForm(form, first, random);
  const plaintext = plaintextOf(form);
  if (!plaintext.ok) return plaintext;
  const ephemeral = newKeyPair(random);
  const contentKey = random(KEY_BYTES);
  const wrapped = wrapKey(contentKey, ephemeral, publicKeys, random);
  if (!wrapped.ok) return wrapped;
  return ok(
    encodeStmf({
      ephemeralPublicKey: ephemeral.publicKey,
      wrapped: wrapped.value,
      payload: sealSigil(payloadKey(contentKey), plaintext.value, random),
    }),
  );
}

/** Opens a container for one or several recipients. Faults: `private_key_invalid`, `content_invalid`, `container_*`. */
export function openForm(data: Uint8Array, privateKey: Uint8Array): Result<FormData, StmfFault> {
  if (privateKey.length !== KEY_BYTES) {
    return err({ code: "private_key_invalid", detail: `a private key has ${KEY_BYTES} bytes` });
  }
  const sealed = decodeStmf(data);
  if (!sealed.ok) return sealed;
  const secret = sharedSecret(privateKey, sealed.value.ephemeralPublicKey);
  if (secret === null) {
    return err({ code: "container_invalid", detail: "the ephemeral key is of low order" });
  }
  const key = keyOfPayload(sealed.value, secret, privateKey);
  const plaintext = key && openSigil(key, sealed.value.payload);
  if (plaintext === null) {
    return err({
      code: "container_sealed_otherwise",
      detail: "the payload does not open with this key",
    });
  }
  return readForm(plaintext);
}

function keyOfPayload(
  { ephemeralPublicKey, wrapped }: SealedContainer,
  secret: Bytes,
  privateKey: Uint8Array,
): Bytes | null {
  if (wrapped === undefined) return secret;
  const { publicKey } = keyPairFrom(concat(privateKey));
  const contentKey = unwrapKey(wrapped, secret, ephemeralPublicKey, publicKey);
  return contentKey && payloadKey(contentKey);
}

function plaintextOf(form: FormData): Result<Bytes, StmfFault> {
  const plaintext = writeForm(form);
  if (!plaintext.ok) return plaintext;
  const { length } = plaintext.value;
  return length > CONTAINER_BYTES_MAX - OVERHEAD_MAX
    ? tooLarge(`a form of ${length} bytes`)
    : plaintext;
}

const recipientsInvalid = () =>
  err<StmfFault>({
    code: "recipients_invalid",
    detail: `a form needs 1 to ${RECIPIENTS_MAX} recipients`,
  });
