/** One table's rows, as the table itself reads and writes them. */
export interface Rows<Value> {
  /** Those of these keys that there are. */
  read(keys: readonly string[]): Iterable<readonly [string, Value]>;
  write(key: string, value: Value): void;
}

/** Rows kept of one table: some 10 MB of the largest. Those that are written already give way first. */
const KEPT_MAX = 5_000;
/** Values that wait to be written at most; the next one has them written. */
const UNWRITTEN_MAX = 1_000;

/**
 * Rows of one table in memory. What is measured changes with every task and every ping, and a row written costs more than
 * all else about it: such values are kept here and written later, many at once. What was read stays as well, so that a
 * choice among hundreds of peers reads nothing. A crash loses what was not written yet, and nothing else.
 */
export class WriteBehind<Value> {
  readonly #rows: Rows<Value>;
  /** Null where there is no such row. */
  readonly #values = new Map<string, Value | null>();
  readonly #unwritten = new Set<string>();
  /** What the transaction under way has changed, as it was before; null outside of one. */
  #before: Map<string, Before<Value>> | null = null;

  constructor(rows: Rows<Value>) {
    this.#rows = rows;
  }

  /** Values that are not written yet. */
  get unwritten(): number {
    return this.#unwritten.size;
  }

  /** Rows in memory, written or not, and rows known not to be there. */
  get size(): number {
    return this.#values.size;
  }

  get(key: string): Value | null {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    this.load([key]);
    return this.#values.get(key) ?? null;
  }

  /** Reads those of these that are not here yet, all at once. */
  load(keys: readonly string[]): void {
    const missing = keys.filter((key) => !this.#values.has(key));
    if (missing.length === 0) return;
    this.#shed(missing.length);
    for (const key of missing) this.#values.set(key, null);
    for (const [key, value] of this.#rows.read(missing)) this.#values.set(key, value);
  }

  /** Changes a value, to be written with the next flush. */
  put(key: string, value: Value): void {
    if (this.#unwritten.size >= UNWRITTEN_MAX) this.flush();
    this.#note(key);
    this.#shed(1);
    this.#values.set(key, value);
    this.#unwritten.add(key);
  }

  /** A row was written, or removed (null), by who calls this. */
  wrote(key: string, value: Value | null): void {
    this.#note(key);
    this.#shed(1);
    this.#values.set(key, value);
    this.#unwritten.delete(key);
  }

  flush(): void {
    for (const key of this.#unwritten) {
      this.#note(key);
      this.#rows.write(key, this.#values.get(key) as Value);
    }
    this.#unwritten.clear();
  }

  begin(): void {
    this.#before = new Map();
  }

  commit(): void {
    this.#before = null;
  }

  rollback(): void {
    for (const [key, { value, unwritten }] of this.#before ?? []) {
      if (value === undefined) this.#values.delete(key);
      else this.#values.set(key, value);
      if (unwritten) this.#unwritten.add(key);
      else this.#unwritten.delete(key);
    }
    this.#before = null;
  }

  #note(key: string): void {
    if (this.#before === null || this.#before.has(key)) return;
    const [value, unwritten] = [this.#values.get(key), this.#unwritten.has(key)];
    this.#before.set(key, { value, unwritten });
  }

  #shed(coming: number): void {
    if (this.#values.size + coming <= KEPT_MAX) return;
    for (const key of this.#values.keys()) if (!this.#unwritten.has(key)) this.#values.delete(key);
  }
}

interface Before<Value> {
  /** Undefined when it was not kept here. */
  readonly value: Value | null | undefined;
  readonly unwritten: boolean;
}
