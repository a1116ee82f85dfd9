import { toHex } from "../base/bytes.ts";
import type { NewHash, StreamedHash } from "../base/streamed-hash.ts";

/** Lines are short, and a call of the hash has a cost: it gets so many bytes at once. */
const BATCH_BYTES = 64 * 1_024;

/** A hash of many short parts. */
export class RunningHash {
  readonly #hash: StreamedHash;
  readonly #batch = new Uint8Array(BATCH_BYTES);
  #length = 0;

  constructor(newHash: NewHash) {
    this.#hash = newHash();
  }

  /** Does not wait unless the hash has to work. */
  update(bytes: Uint8Array): void | Promise<void> {
    if (this.#length + bytes.length <= BATCH_BYTES) {
      this.#batch.set(bytes, this.#length);
      this.#length += bytes.length;
      return undefined;
    }
    return this.#flush(bytes);
  }

  async digest(): Promise<string> {
    await this.#flush(new Uint8Array());
    return toHex(await this.#hash.digest());
  }

  async #flush(bytes: Uint8Array): Promise<void> {
    const batch = this.#batch.slice(0, this.#length);
    this.#length = 0;
    await this.#hash.update(batch);
    if (bytes.length > 0) await this.#hash.update(bytes);
  }
}
