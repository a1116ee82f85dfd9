import type { Bytes } from "../base/bytes.ts";
import type { Millis } from "../base/clock.ts";
import type { PointerView } from "../protocol/discovery.ts";

/** What an entry costs besides its bytes: its ID, its time, and the maps' own memory. */
const ENTRY_OVERHEAD_BYTES = 256;

/**
 * Sealed records that a replica keeps in memory, so that it can serve them while its store has lost them or hangs. It keeps only blobs
 * that the current directory names, and no more than `bytesMax` with an overhead for each. A blob never changes under its ID, and one that is
 * kept is dropped only when no pointer names it any more or its epoch has expired.
 */
export class KeptBlobs {
  readonly #bytesMax: number;
  /** When each blob that the directory names expires. */
  #named = new Map<string, Millis>();
  readonly #kept = new Map<string, Bytes>();
  #bytes = 0;
  /** Whether a blob had no room since the last one was dropped. */
  #isFull = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Keeps from now on the blobs that these pointers name, and drops all others. */
  setNamed(pointers: readonly PointerView[]): void {
    this.#named = new Map(
      pointers.map(({ blob_id: id, expires_at }) => [id, Date.parse(expires_at)]),
    );
    for (const [id, bytes] of this.#kept)
      if (!this.#named.has(id)) {
        this.#kept.delete(id);
        this.#bytes -= costOf(bytes);
        this.#isFull = false;
      }
  }

  /** Whether a pointer of the directory names this blob, and it has not expired. */
  isNamed(id: string, now: Millis): boolean {
    return (this.#named.get(id) ?? 0) > now;
  }

  get(id: string): Bytes | null {
    return this.#kept.get(id) ?? null;
  }

  /** Keeps a blob, if the directory names it and there is room. */
  keep(id: string, bytes: Bytes): void {
    if (!this.#named.has(id) || this.#kept.has(id)) return;
    if (this.#bytes + costOf(bytes) > this.#bytesMax) {
      this.#isFull = true;
      return;
    }
    this.#kept.set(id, bytes);
    this.#bytes += costOf(bytes);
  }

  /** Whether there may be room for another blob: the size of one is unknown before it is read. */
  get hasRoom(): boolean {
    return !this.#isFull && this.#bytes + ENTRY_OVERHEAD_BYTES < this.#bytesMax;
  }

  /** Named blobs that are not kept; none when the room is used up. */
  missing(now: Millis): readonly string[] {
    if (!this.hasRoom) return [];
    return [...this.#named].flatMap(([id, expiresAt]) =>
      expiresAt > now && !this.#kept.has(id) ? [id] : [],
    );
  }

  /** How many blobs the directory names, how many of them are kept, and the bytes that these use. */
  get use(): { readonly named: number; readonly kept: number; readonly bytes: number } {
    return { named: this.#named.size, kept: this.#kept.size, bytes: this.#bytes };
  }
}

const costOf = ({ length }: Bytes): number => length + ENTRY_OVERHEAD_BYTES;
