import { fromBase64, toBase64, type Bytes } from "../base/bytes.ts";
import { OptionsError } from "./errors.ts";

interface BytesAsText {
  /** The base64 of binary data. */
  encode(data: Uint8Array | ArrayBuffer): string;
  /** The data of such a string. Throws an `OptionsError` for anything else: each value has exactly one text. */
  decode(value: unknown): Bytes;
}

/**
 * How binary data travels in payloads and results, which are JSON: as a string of standard base64 with padding (RFC 4648 section 4). Go's
 * `[]byte` and Python's `base64.b64decode` read it. It is a third longer than the data, so a result of at most 25 MiB carries 18.75 MiB.
 */
export const bytes: BytesAsText = {
  encode(data) {
    if (data instanceof Uint8Array) return toBase64(data);
    if (Object.prototype.toString.call(data) === "[object ArrayBuffer]")
      return toBase64(new Uint8Array(data));
    throw new OptionsError("bytes.encode takes a Uint8Array or an ArrayBuffer");
  },

  decode(value) {
    const data = typeof value === "string" ? fromBase64(value) : null;
    if (data !== null) return data;
    throw new OptionsError(
      "bytes.decode takes standard base64 with padding, as bytes.encode writes it",
    );
  },
};
