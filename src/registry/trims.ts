/** Additions between two trims of a table, at most. */
const ADDED_MAX = 256;
/** The share of a table's limit that may be added before it is trimmed again. */
const ADDED_SHARE = 1 / 64;

/**
 * Says when a table with a limit is trimmed, because counting its rows costs as many reads as it has rows: at the first addition
 * after a wake, then whenever a small share of the limit has been added. A table has at most that share more than its limit.
 */
export class Trims {
  readonly #added = new Map<string, number>();

  /** Counts an addition to a table, and returns whether the table must be trimmed now. */
  isDue(table: string, limit: number): boolean {
    const every = trimEvery(limit);
    const added = this.#added.get(table) ?? 0;
    this.#added.set(table, (added + 1) % every);
    return added === 0;
  }
}

/** How many rows above its limit a table may have. */
export const trimEvery = (limit: number): number =>
  Math.max(1, Math.min(ADDED_MAX, Math.floor(limit * ADDED_SHARE)));
