import { utf8 } from "../base/bytes.ts";
import { sha256 } from "../crypto/primitives/hashes.ts";

/**
 * Rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998): a key belongs to the cell with
 * the highest weight for it. With another number of cells only the keys move whose best cell is new or gone.
 */
export function bestCell(cells: readonly number[], key: string): number {
  const hash = hashOf(key);
  let [best, highest] = [cells[0] as number, -1];
  for (const cell of cells) {
    const weight = mixed(hash, cell);
    if (weight > highest) [best, highest] = [cell, weight];
  }
  return best;
}

/** The cells by their weight for a key, the highest first. */
export function rankedCells(cells: readonly number[], key: string): readonly number[] {
  const hash = hashOf(key);
  return cells.toSorted((a, b) => mixed(hash, b) - mixed(hash, a));
}

/** 52 bits of SHA-256, in two parts: callers choose keys, and must not be able to choose the cell cheaply for all of them. */
interface KeyHash {
  readonly high: number;
  readonly low: number;
}

function hashOf(key: string): KeyHash {
  const digest = sha256(utf8(key));
  const view = new DataView(digest.buffer, digest.byteOffset, 8);
  return { high: view.getUint32(0), low: view.getUint32(4) };
}

/** A weight of 53 bits for a key and a cell: two rounds of the finalizer of MurmurHash3. Ties are as good as impossible. */
function mixed({ high, low }: KeyHash, cell: number): number {
  const salt = Math.imul(cell + 1, 0x9e37_79b1);
  const a = finalized(high ^ salt);
  const b = finalized(low ^ finalized(a ^ salt));
  return (a >>> 0) * 0x20_0000 + (b >>> 11);
}

function finalized(input: number): number {
  let hash = input;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
