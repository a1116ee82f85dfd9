import type { Bytes } from "./bytes.ts";

/** SHA-256 of bytes that come in parts. The platform's own is many times faster than one in JavaScript. */
export interface StreamedHash {
  update(bytes: Uint8Array): void | Promise<void>;
  digest(): Bytes | Promise<Bytes>;
}

export type NewHash = () => StreamedHash;
