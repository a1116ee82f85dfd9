import type { PeerId } from "../protocol/ids.ts";

/** A peer's row in the index's typed arrays. Rows are dense, and reused after a peer is removed. */
export type Row = number;
/** No row: the end of a chain, or an unknown peer. */
export const NO_ROW: Row = 0xffff_ffff;

/** An ID is 16 bytes: four words. */
const WORDS = 4;
/** Rows grow by a quarter, so that at most a fifth of them is empty. */
const GROWTH = 1.25;
const ROWS_MIN = 64;
/** The hash table doubles at this load factor, below which linear probing stays short. */
const LOAD_MAX = 0.7;

/**
 * Peer IDs and their rows, in typed arrays only: 16 bytes for the ID, and an open-addressed hash table of about 8 (a
 * `Map` of strings takes well over 100). The seed prevents attackers who generate many keys from choosing which IDs
 * collide.
 */
export class PeerRowTable {
  readonly #seed: number;
  #ids = new Uint32Array(ROWS_MIN * WORDS);
  /** Each entry is a row plus 1; 0 is empty. */
  #table = new Uint32Array(2 * ROWS_MIN);
  /** Number of rows that were ever used. Freed rows are chained through their first word. */
  #taken = 0;
  #vacant: Row = NO_ROW;
  #size = 0;
  readonly #probe = new Uint32Array(WORDS);

  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  get size(): number {
    return this.#size;
  }

  /** Capacity in rows, which parallel arrays must have, too. */
  get capacity(): number {
    return this.#ids.length / WORDS;
  }

  get bytes(): number {
    return this.#ids.byteLength + this.#table.byteLength;
  }

  /** The peer's row; `NOWHERE` when it has none. */
  find(id: PeerId): Row {
    readId(id, this.#probe);
    const entry = this.#table[this.#slotOf(this.#probe, 0)] as number;
    return entry === 0 ? NO_ROW : entry - 1;
  }

  /** The peer's row, which is added when it has none. */
  add(id: PeerId): Row {
    readId(id, this.#probe);
    const slot = this.#slotOf(this.#probe, 0);
    const entry = this.#table[slot] as number;
    if (entry !== 0) return entry - 1;
    const place = this.#newRow();
    this.#ids.set(this.#probe, place * WORDS);
    this.#table[slot] = place + 1;
    this.#size += 1;
    if (this.#size > LOAD_MAX * this.#table.length) this.#rehash(2 * this.#table.length);
    return place;
  }

  remove(place: Row): void {
    this.#vacate(this.#slotOf(this.#ids, place * WORDS));
    this.#ids[place * WORDS] = this.#vacant;
    this.#vacant = place;
    this.#size -= 1;
  }

  idAt(place: Row): PeerId {
    let id = "";
    for (let word = 0; word < WORDS; word++)
      id += (this.#ids[place * WORDS + word] as number).toString(16).padStart(8, "0");
    return id;
  }

  #newRow(): Row {
    if (this.#vacant !== NO_ROW) {
      const place = this.#vacant;
      this.#vacant = this.#ids[place * WORDS] as number;
      return place;
    }
    if (this.#taken === this.capacity)
      this.#ids = grown(this.#ids, Math.ceil(this.capacity * GROWTH) * WORDS);
    return this.#taken++;
  }

  /** The table entry of the ID in `words` at `at`, or the empty entry where it would go. */
  #slotOf(words: Uint32Array, at: number): number {
    const mask = this.#table.length - 1;
    let slot = hash(words, at, this.#seed) & mask;
    for (;;) {
      const entry = this.#table[slot] as number;
      if (entry === 0 || this.#isAt((entry - 1) * WORDS, words, at)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isAt(row: number, words: Uint32Array, at: number): boolean {
    for (let word = 0; word < WORDS; word++)
      if (this.#ids[row + word] !== words[at + word]) return false;
    return true;
  }

  /**
   * Empties a table entry and moves up the entries that were pushed past it, so that no deleted entries remain (Knuth,
   * 6.4 R).
   */
  #vacate(slot: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let hole = slot;
    for (let next = (hole + 1) & mask; table[next] !== 0; next = (next + 1) & mask) {
      const home = hash(this.#ids, ((table[next] as number) - 1) * WORDS, this.#seed) & mask;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      table[hole] = table[next] as number;
      hole = next;
    }
    table[hole] = 0;
  }

  #rehash(length: number): void {
    const entries = this.#table;
    this.#table = new Uint32Array(length);
    for (const entry of entries)
      if (entry !== 0) this.#table[this.#slotOf(this.#ids, (entry - 1) * WORDS)] = entry;
  }
}

/** A longer copy of an array. */
export function grown(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(length);
  longer.set(array);
  return longer;
}

/** The value of a hex digit by its character code. Only digits and `a` to `f` are looked up. */
const HEX = Uint8Array.from({ length: 128 }, (_, code) => (code & 0xf) + 9 * (code >> 6));

function readId(id: PeerId, into: Uint32Array): void {
  for (let word = 0, at = 0; word < WORDS; word++) {
    let value = 0;
    for (const end = at + 8; at < end; at++)
      value = (value << 4) | (HEX[id.charCodeAt(at) & 127] as number);
    into[word] = value;
  }
}

/** Mixes an ID's words with the seed (multiply and fold, by the 32-bit golden ratio). */
function hash(words: Uint32Array, at: number, seed: number): number {
  let mixed = seed;
  for (let word = 0; word < WORDS; word++) {
    mixed = Math.imul(mixed ^ (words[at + word] as number), 0x9e37_79b1);
    mixed ^= mixed >>> 15;
  }
  return mixed;
}
