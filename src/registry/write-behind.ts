/** How one table's rows are read and written. */
export interface Rows<Value> {
  /** The existing rows with these keys. */
  read(keys: readonly string[]): Iterable<readonly [string, Value]>;
  write(key: string, value: Value): void;
}

/**
 * Number of rows of one table in memory, about 10 MB of the largest. Rows that are written already are dropped first.
 */
const KEPT_MAX = 5_000;
/** Rows that are dropped beyond the necessary, so that not every new row causes a search. */
const SHED_AHEAD = 500;
/** Number of unwritten values. The next one causes a flush. */
const UNWRITTEN_MAX = 1_000;

/**
 * A write-behind cache of one table's rows. Measurements change with every task and every ping, and writing a row is
 * the most expensive part, so they are kept here and written later, many at once. Rows that were read stay, too, so
 * that a choice among hundreds of peers reads nothing. A crash loses unwritten values, and nothing else.
 */
export class WriteBehind<Value> {
  readonly #rows: Rows<Value>;
  /** The row with this key; null when there is none. */
  readonly #values = new Map<string, Value | null>();
  readonly #unwritten = new Set<string>();
  /** The previous values of the rows that each open transaction changed, the innermost transaction last. */
  readonly #before: Map<string, Before<Value>>[] = [];

  constructor(rows: Rows<Value>) {
    this.#rows = rows;
  }

  /** Unwritten values. */
  get unwritten(): number {
    return this.#unwritten.size;
  }

  /** The values that are not written yet. */
  *unwrittenValues(): Iterable<readonly [string, Value | null]> {
    for (const key of this.#unwritten) yield [key, this.#values.get(key) ?? null];
  }

  /** Rows in memory, written or not, and keys known to have no row. */
  get size(): number {
    return this.#values.size;
  }

  get(key: string): Value | null {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    this.load([key]);
    return this.#values.get(key) ?? null;
  }

  /** Reads those of these rows that are not in memory, all at once. */
  load(keys: readonly string[]): void {
    const missing = keys.filter((key) => !this.#values.has(key));
    if (missing.length === 0) return;
    this.#shed(missing.length);
    for (const key of missing) {
      this.#note(key); // the row may hold what the open transaction wrote
      this.#values.set(key, null);
    }
    for (const [key, value] of this.#rows.read(missing)) this.#values.set(key, value);
  }

  /** Changes a value, which the next flush writes. */
  put(key: string, value: Value): void {
    if (this.#unwritten.size >= UNWRITTEN_MAX) this.flush();
    this.#note(key);
    this.#shed(1);
    this.#values.delete(key); // what is written last is kept longest
    this.#values.set(key, value);
    this.#unwritten.add(key);
  }

  /** Notes that the caller has written a row, or removed it (null). */
  wrote(key: string, value: Value | null): void {
    this.#note(key);
    this.#shed(1);
    this.#values.delete(key); // what is written last is kept longest
    this.#values.set(key, value);
    this.#unwritten.delete(key);
  }

  /** Whether the row, or that there is none, is in memory. */
  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** Drops a written row from memory: it is read again at its next use. */
  forget(key: string): void {
    this.#note(key);
    this.#values.delete(key);
  }

  /** Drops all rows from memory, for a table whose values are all written. */
  forgetAll(): void {
    for (const key of this.#values.keys()) this.forget(key);
  }

  flush(): void {
    for (const key of this.#unwritten) {
      this.#note(key);
      this.#rows.write(key, this.#values.get(key) as Value);
    }
    this.#unwritten.clear();
  }

  begin(): void {
    this.#before.push(new Map());
  }

  /** The enclosing transaction, if there is one, can still undo the changes. */
  commit(): void {
    const changed = this.#before.pop() ?? new Map<string, Before<Value>>();
    const outer = this.#before.at(-1);
    if (outer === undefined) return;
    for (const [key, before] of changed) if (!outer.has(key)) outer.set(key, before);
  }

  rollback(): void {
    for (const [key, { value, unwritten }] of this.#before.pop() ?? []) {
      if (value === undefined) this.#values.delete(key);
      else this.#values.set(key, value);
      if (unwritten) this.#unwritten.add(key);
      else this.#unwritten.delete(key);
    }
  }

  #note(key: string): void {
    const before = this.#before.at(-1);
    if (before === undefined || before.has(key)) return;
    const [value, unwritten] = [this.#values.get(key), this.#unwritten.has(key)];
    before.set(key, { value, unwritten });
  }

  /** Drops the rows that were written or read first. */
  #shed(coming: number): void {
    let over = this.#values.size + coming - KEPT_MAX;
    if (over <= 0) return;
    for (const key of this.#values.keys()) {
      if (over <= -SHED_AHEAD) return;
      if (!this.#unwritten.has(key) && this.#values.delete(key)) over--;
    }
  }
}

/** A cache of rows that are written at once: it only saves reading them again. It follows transactions, too. */
export const readCache = <Value>(read: (key: string) => Value | null): WriteBehind<Value> =>
  new WriteBehind<Value>({
    *read(keys) {
      for (const key of keys) {
        const value = read(key);
        if (value !== null) yield [key, value];
      }
    },
    write: () => {},
  });

interface Before<Value> {
  /** Undefined when it was not in memory. */
  readonly value: Value | null | undefined;
  readonly unwritten: boolean;
}
