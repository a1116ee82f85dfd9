import { SECOND, type Millis } from "../base/clock.ts";
import type { CellDigest } from "../cells/cell-digest.ts";

/** A cell is asked for its digest with the next call, if the one that is known is older. */
const DIGEST_AGE: Millis = SECOND;
/** An older digest says nothing any more. */
const DIGEST_AGE_MAX: Millis = 10 * SECOND;
/** A cell that has not answered gets no task for so long, unless no other cell does. */
const DOWN_FOR: Millis = 5 * SECOND;

interface Known {
  digest: CellDigest | null;
  at: Millis;
  askedAt: Millis;
  downUntil: Millis;
  /** Tasks of each kind that were sent there since. */
  readonly added: Map<string, number>;
}

/** The digest of a cell, and how many tasks of a kind were sent there since it was made. */
export interface KnownDigest {
  readonly digest: CellDigest;
  readonly added: (kind: string) => number;
}

/** What one caller knows of the cells' digests, in memory. */
export class CellDigests {
  readonly #known = new Map<number, Known>();

  /** Whether the next call of the cell should ask for its digest. At most one call in a second does. */
  isWanted(cell: number, now: Millis): boolean {
    const known = this.#of(cell);
    const isFresh = (at: Millis): boolean => at <= now && now < at + DIGEST_AGE;
    if (isFresh(known.at) || isFresh(known.askedAt)) return false;
    known.askedAt = now;
    return true;
  }

  learned(cell: number, digest: CellDigest, now: Millis): void {
    const known = this.#of(cell);
    [known.digest, known.at, known.downUntil] = [digest, now, 0];
    known.added.clear();
  }

  /** The cell has not answered. */
  failed(cell: number, now: Millis): void {
    this.#of(cell).downUntil = now + DOWN_FOR;
  }

  /** The cell was sent tasks: a burst within a second spreads over the cells. */
  sent(cell: number, kind: string, tasks: number): void {
    const { added } = this.#of(cell);
    added.set(kind, (added.get(kind) ?? 0) + tasks);
  }

  /** Null if nothing is known. */
  get(cell: number, now: Millis): KnownDigest | null {
    const known = this.#known.get(cell);
    if (known === undefined || known.digest === null) return null;
    if (now < known.at || now >= known.at + DIGEST_AGE_MAX) return null;
    return { digest: known.digest, added: (kind) => known.added.get(kind) ?? 0 };
  }

  isDown(cell: number, now: Millis): boolean {
    const until = this.#known.get(cell)?.downUntil ?? 0;
    return now < until && until <= now + DOWN_FOR;
  }

  #of(cell: number): Known {
    const known = this.#known.get(cell);
    if (known !== undefined) return known;
    const made: Known = {
      digest: null,
      at: Number.NEGATIVE_INFINITY,
      askedAt: Number.NEGATIVE_INFINITY,
      downUntil: 0,
      added: new Map(),
    };
    this.#known.set(cell, made);
    return made;
  }
}
