/** Rows in memory. The next one causes a flush. */
const PENDING_MAX = 1_000;

interface PendingEvents<Row> {
  write(row: Row): void;
  /** Called after each time that rows were written. */
  written(): void;
}

/**
 * New rows that are written a little later, many at once. A crash loses them, so they are rows that nothing depends on. Rows of
 * a transaction that fails are dropped.
 */
export class PendingRows<Row> {
  readonly #on: PendingEvents<Row>;
  #rows: Row[] = [];
  /** The rows at the beginning of each open transaction, the innermost transaction last. */
  readonly #before: { readonly rows: Row[]; readonly count: number }[] = [];

  constructor(on: PendingEvents<Row>) {
    this.#on = on;
  }

  get unwritten(): number {
    return this.#rows.length;
  }

  add(row: Row): void {
    if (this.#rows.length >= PENDING_MAX) this.flush();
    this.#rows.push(row);
  }

  /** The newest row that meets the condition. */
  newest(condition: (row: Row) => boolean): Row | undefined {
    return this.#rows.findLast(condition);
  }

  flush(): void {
    if (this.#rows.length === 0) return;
    for (const row of this.#rows) this.#on.write(row);
    this.#on.written();
    // A new list: a transaction that fails gets the old one back, because what was written is undone.
    this.#rows = [];
  }

  begin(): void {
    this.#before.push({ rows: this.#rows, count: this.#rows.length });
  }

  commit(): void {
    this.#before.pop();
  }

  rollback(): void {
    const before = this.#before.pop();
    if (before === undefined) return;
    this.#rows = before.rows;
    this.#rows.length = before.count;
  }
}
