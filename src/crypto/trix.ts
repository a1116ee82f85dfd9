import { concat, fromUtf8, utf8, type Bytes } from "../base/bytes.ts";
import { isJsonObject, parseJson, type JsonObject } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";

/**
 * Borg's container ("trix"): 4 magic bytes, version byte 2, header length (uint32 big-endian), JSON header, payload.
 * It is defined here, not in stmf/, because both SMSG (sessions) and STMF (records) use it.
 */
export interface Container {
  readonly header: JsonObject;
  readonly payload: Uint8Array;
}

export type ContainerError = {
  readonly code:
    | "container_invalid"
    | "container_unsupported"
    | "container_too_large"
    | "container_sealed_otherwise";
  readonly detail: string;
};

const VERSION = 2;
const FIXED_BYTES = 4 + 1 + 4;
/** Borg's headers have fewer than 200 bytes. Only its manifests can be larger, and Muster reads none. */
export const HEADER_BYTES_MAX = 16 * 1_024;
const HEADER_DEPTH_MAX = 8;

export function encodeContainer(magic: string, { header, payload }: Container): Bytes {
  const json = utf8(JSON.stringify(header));
  const fixed = new Uint8Array(FIXED_BYTES);
  fixed.set(utf8(magic));
  fixed[4] = VERSION;
  new DataView(fixed.buffer).setUint32(5, json.length);
  return concat(fixed, json, payload);
}

/** Parses a container with the given magic. Every length is checked before it is used. */
export function decodeContainer(
  magic: string,
  data: Uint8Array,
): Result<Container, ContainerError> {
  if (data.length < FIXED_BYTES) return err(invalid("shorter than a container's fixed header"));
  if (fromUtf8(data.subarray(0, 4)) !== magic) return err(invalid(`does not begin with ${magic}`));
  if (data[4] !== VERSION) {
    return err({
      code: "container_unsupported",
      detail: `container version ${data[4]}, expected ${VERSION}`,
    });
  }
  const length = new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(5);
  if (length > HEADER_BYTES_MAX) {
    return err({
      code: "container_too_large",
      detail: `the header has ${length} bytes, the limit is ${HEADER_BYTES_MAX}`,
    });
  }
  if (length > data.length - FIXED_BYTES) return err(invalid("the header is truncated"));
  const text = fromUtf8(data.subarray(FIXED_BYTES, FIXED_BYTES + length));
  const header = text === null ? undefined : parseJson(text, HEADER_DEPTH_MAX);
  if (!isJsonObject(header)) return err(invalid("the header is not a JSON object"));
  return ok({ header, payload: data.subarray(FIXED_BYTES + length) });
}

const invalid = (detail: string): ContainerError => ({ code: "container_invalid", detail });
