import { fromBase64, toBase64, type Bytes } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import { decodeContainer, encodeContainer } from "../crypto/trix.ts";
import { KEY_BYTES } from "../protocol/constants.ts";
import type { StmfFault } from "./errors.ts";

const MAGIC = "STMF";
const ALGORITHM = "x25519-chacha20poly1305";
const VERSION = "1.0";

/** Room for a file of 25 MiB in base64, the rest of its form, and the container around it. */
export const CONTAINER_BYTES_MAX = 36 * 1_024 * 1_024;

/** What an STMF container carries in the clear: the sender's one-use public key, and the sealed form. */
export interface Sealed {
  readonly ephemeralPublicKey: Uint8Array;
  readonly payload: Uint8Array;
}

/**
 * Borg's STMF 1.0: `STMF`, 2, header length, header, payload (see crypto/trix.ts). The header's keys stand in
 * alphabetical order, as Go writes a map, and without spaces: Borg's PHP library reads headers below 128 bytes only,
 * and this one has 117.
 */
export const encodeStmf = ({ ephemeralPublicKey, payload }: Sealed): Bytes =>
  encodeContainer(MAGIC, {
    header: {
      algorithm: ALGORITHM,
      ephemeral_pk: toBase64(ephemeralPublicKey),
      version: VERSION,
    },
    payload,
  });

/**
 * Takes an STMF container apart; nothing is decrypted. `container_invalid`, `container_unsupported` or
 * `container_too_large`. The header is not authenticated: a changed key in it makes a payload that does not open.
 */
export function decodeStmf(data: Uint8Array): Result<Sealed, StmfFault> {
  if (data.length > CONTAINER_BYTES_MAX) {
    return err({
      code: "container_too_large",
      detail: `a container of ${data.length} bytes, at most ${CONTAINER_BYTES_MAX}`,
    });
  }
  const container = decodeContainer(MAGIC, data);
  if (!container.ok) return container;
  const { header, payload } = container.value;
  if (header["algorithm"] !== ALGORITHM) return unsupported("algorithm", ALGORITHM);
  if (header["version"] !== VERSION) return unsupported("version", VERSION);
  const encoded = header["ephemeral_pk"];
  const ephemeralPublicKey = typeof encoded === "string" ? fromBase64(encoded) : null;
  if (ephemeralPublicKey?.length !== KEY_BYTES) {
    return err({
      code: "container_invalid",
      detail: `ephemeral_pk is not the base64 of ${KEY_BYTES} bytes`,
    });
  }
  return ok({ ephemeralPublicKey, payload });
}

const unsupported = (part: string, expected: string) =>
  err<StmfFault>({
    code: "container_unsupported",
    detail: `the header's ${part} is not ${expected}`,
  });
