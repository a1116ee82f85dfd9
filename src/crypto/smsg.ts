import { fromUtf8, utf8, type Bytes } from "../base/bytes.ts";
import type { Millis, RandomBytes } from "../base/clock.ts";
import { isJsonObject, parseJson } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { sha256 } from "./primitives/hashes.ts";
import { openSigil, sealSigil } from "./sigil.ts";
import { decodeContainer, encodeContainer, type ContainerError } from "./trix.ts";

/** Borg's SMSG 1.0: a message sealed with a password. go-p2p frames have this format. */
const MAGIC = "SMSG";
const ALGORITHM = "chacha20poly1305";
const VERSION = "1.0";

/** SHA-256(password). Compute it once per session, not per frame. */
export const smsgKey = (password: string): Bytes => sha256(utf8(password));

/** Seals a message in a container that Borg's `smsg.Decrypt` opens. `now` becomes its Unix timestamp. */
export function sealSmsg(key: Uint8Array, body: string, now: Millis, random: RandomBytes): Bytes {
  const plaintext = utf8(JSON.stringify({ body, timestamp: Math.floor(now / 1_000) }));
  return encodeContainer(MAGIC, {
    header: { algorithm: ALGORITHM, version: VERSION },
    payload: sealSigil(key, plaintext, random),
  });
}

/**
 * The body of an SMSG container. A header with `format` or `compression` is refused: go-p2p writes neither, and a
 * compressed frame could decompress to any size.
 */
export function openSmsg(key: Uint8Array, data: Uint8Array): Result<string, ContainerError> {
  const container = decodeContainer(MAGIC, data);
  if (!container.ok) return container;
  const { header, payload } = container.value;
  if (header["algorithm"] !== ALGORITHM || header["version"] !== VERSION) {
    return unsupported(`only SMSG ${VERSION} with ${ALGORITHM} is supported`);
  }
  if (Object.hasOwn(header, "format") || Object.hasOwn(header, "compression")) {
    return unsupported("SMSG with `format` or `compression` in its header is not supported");
  }
  const plaintext = openSigil(key, payload);
  if (plaintext === null)
    return err({
      code: "container_sealed_otherwise",
      detail: "the payload does not open with this key",
    });
  const text = fromUtf8(plaintext);
  const message = text === null ? undefined : parseJson(text);
  const body = isJsonObject(message) ? message["body"] : undefined;
  if (typeof body !== "string")
    return err({ code: "container_invalid", detail: "the message has no `body`" });
  return ok(body);
}

const unsupported = (detail: string) =>
  err<ContainerError>({ code: "container_unsupported", detail });
