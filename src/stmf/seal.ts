import type { Bytes } from "../base/bytes.ts";
import type { RandomBytes } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { newKeyPair, sharedSecret } from "../crypto/identity.ts";
import { openSigil, sealSigil } from "../crypto/sigil.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import { CONTAINER_BYTES_MAX, decodeStmf, encodeStmf } from "./container.ts";
import type { StmfFault } from "./errors.ts";
import { readForm, writeForm, type FormData } from "./form.ts";

/** Bytes of header, nonce and tag around a plaintext, rounded up. */
const OVERHEAD_MAX = 1_024;

/**
 * A form sealed to one X25519 public key: key = SHA-256(X25519(ephemeral, recipient)), a fresh ephemeral key each time.
 * Anyone can seal: opening proves nothing about the sender. `public_key_invalid`, `form_invalid`, `container_too_large`.
 *
 * The same secret derivation serves go-p2p's handshake, which MACs chosen input under it: never seal to an identity
 * key (DESIGN §8).
 */
export function sealForm(
  form: FormData,
  recipientPublicKey: Uint8Array,
  random: RandomBytes,
): Result<Bytes, StmfFault> {
  const plaintext = writeForm(form);
  if (!plaintext.ok) return plaintext;
  if (plaintext.value.length > CONTAINER_BYTES_MAX - OVERHEAD_MAX) {
    return err({
      code: "container_too_large",
      detail: `a form of ${plaintext.value.length} bytes does not fit a container`,
    });
  }
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

/** The form in a container. Any fault but those of sealing, pointers and peer records. */
export function openForm(data: Uint8Array, privateKey: Uint8Array): Result<FormData, StmfFault> {
  if (privateKey.length !== KEY_BYTES) {
    return err({ code: "private_key_invalid", detail: `a private key is ${KEY_BYTES} bytes` });
  }
  const sealed = decodeStmf(data);
  if (!sealed.ok) return sealed;
  const key = sharedSecret(privateKey, sealed.value.ephemeralPublicKey);
  if (key === null) {
    return err({ code: "container_invalid", detail: "the ephemeral key is of low order" });
  }
  const plaintext = openSigil(key, sealed.value.payload);
  if (plaintext === null) {
    return err({ code: "container_sealed_otherwise", detail: "does not open with this key" });
  }
  return readForm(plaintext);
}
