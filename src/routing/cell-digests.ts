import { SECOND, type Millis } from "../base/clock.ts";
import {
  digestOfKind,
  expectedWait,
  isPossible,
  type CellDigest,
  type KindDigest,
  type Load,
} from "../cells/cell-digest.ts";

/** A cell is asked for its digest with the next call, if the one that is known is older. */
const DIGEST_AGE: Millis = SECOND;
/** An older digest says nothing any more. */
const DIGEST_AGE_MAX: Millis = 10 * SECOND;
/** A cell that has not answered gets no task for so long, unless no other cell does. */
const DOWN_FOR: Millis = 5 * SECOND;

/** Kinds of a cell that are remembered beside its digest: callers may name any number of them while it does not answer. */
const KINDS_MAX = 256;

/** What is known of a kind in a cell. */
interface KnownKind {
  /** Newer than the digest, from the answer to a submission; null: nothing. */
  load: KindDigest | null;
  at: Millis;
  /** Tasks of the kind that were sent there since. */
  added: number;
}

interface Known {
  digest: CellDigest | null;
  at: Millis;
  askedAt: Millis;
  downUntil: Millis;
  readonly kinds: Map<string, KnownKind>;
}

/** What is known of a cell. */
export interface KnownDigest {
  readonly digest: CellDigest;
  /** What the cell has for a kind: it may be newer than the digest. */
  readonly loadOf: (kind: string) => Load;
  /** How long a new task of a kind would wait there, in milliseconds; below 0 if a slot is free (`expectedWait`). */
  readonly waitOf: (kind: string) => number;
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
    known.downUntil = 0;
    if (![...digest.kinds, digest.others].every(isPossible)) return;
    [known.digest, known.at] = [digest, now];
    known.kinds.clear();
  }

  /** The answer to a submission has said what the cell has for its kind, with the submitted task. */
  learnedKind(cell: number, load: KindDigest, now: Millis): void {
    const known = this.#of(cell);
    known.downUntil = 0;
    if (isPossible(load)) noteKind(known, load.kind, { load, at: now, added: 0 });
  }

  /** The cell has not answered. */
  failed(cell: number, now: Millis): void {
    this.#of(cell).downUntil = now + DOWN_FOR;
  }

  /** The cell was sent tasks: a burst spreads over the cells before any of them has answered. */
  sent(cell: number, kind: string, tasks: number): void {
    const known = this.#of(cell);
    const of = known.kinds.get(kind) ?? { load: null, at: known.at, added: 0 };
    noteKind(known, kind, { ...of, added: of.added + tasks });
  }

  /** Null if nothing is known. */
  get(cell: number, now: Millis): KnownDigest | null {
    const known = this.#known.get(cell);
    if (known === undefined || known.digest === null) return null;
    if (now < known.at || now >= known.at + DIGEST_AGE_MAX) return null;
    const { digest, at, kinds } = known;
    const loadOf = (kind: string): Load => kinds.get(kind)?.load ?? digestOfKind(digest, kind);
    return {
      digest,
      loadOf,
      waitOf(kind) {
        const of = kinds.get(kind);
        const age = Math.max(0, now - (of?.at ?? at));
        return expectedWait(loadOf(kind), of?.added ?? 0, age);
      },
    };
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
      kinds: new Map(),
    };
    this.#known.set(cell, made);
    return made;
  }
}

/** Notes what is known of a kind, and forgets the one about which nothing new was heard for the longest if there are too many. */
function noteKind({ digest, kinds }: Known, kind: string, of: KnownKind): void {
  // Without a digest it would say nothing.
  if (digest === null) return;
  kinds.delete(kind);
  kinds.set(kind, of);
  const [oldest] = kinds.keys();
  if (kinds.size > KINDS_MAX && oldest !== undefined) kinds.delete(oldest);
}
