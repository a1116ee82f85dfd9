import { concat, type Bytes } from "../base/bytes.ts";
import type { NewHash, StreamedHash } from "../base/streamed-hash.ts";
import { sha256 } from "../crypto/primitives.ts";

/** The block of SHA-256, in bytes. */
const BLOCK_BYTES = 64;

/** HMAC-SHA256 (RFC 2104) of bytes that come in parts. */
export class StreamedHmac {
  readonly #block: Bytes;
  readonly #inner: StreamedHash;
  #begun = false;

  constructor(key: Uint8Array, newHash: NewHash) {
    this.#block = new Uint8Array(BLOCK_BYTES);
    this.#block.set(key.length > BLOCK_BYTES ? sha256(key) : key);
    this.#inner = newHash();
  }

  async update(bytes: Uint8Array): Promise<void> {
    if (!this.#begun) await this.#begin();
    await this.#inner.update(bytes);
  }

  async digest(): Promise<Bytes> {
    if (!this.#begun) await this.#begin();
    const inner = await this.#inner.digest();
    return sha256(concat(this.#padded(0x5c), inner));
  }

  #begin(): void | Promise<void> {
    this.#begun = true;
    return this.#inner.update(this.#padded(0x36));
  }

  #padded(pad: number): Bytes {
    return this.#block.map((byte) => byte ^ pad);
  }
}
