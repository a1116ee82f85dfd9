/**
 * A map in memory that takes part in transactions: what a transaction that fails has changed is as it was before. Transactions
 * nest, as savepoints do.
 */
export class UndoMap<Key, Value> {
  readonly #values = new Map<Key, Value>();
  /** The previous values of the keys that each open transaction changed, the innermost transaction last. */
  readonly #before: Map<Key, Value | undefined>[] = [];

  get size(): number {
    return this.#values.size;
  }

  get(key: Key): Value | undefined {
    return this.#values.get(key);
  }

  entries(): Iterable<[Key, Value]> {
    return this.#values.entries();
  }

  set(key: Key, value: Value): void {
    this.#note(key);
    this.#values.set(key, value);
  }

  delete(key: Key): void {
    this.#note(key);
    this.#values.delete(key);
  }

  clear(): void {
    for (const key of this.#values.keys()) this.delete(key);
  }

  begin(): void {
    this.#before.push(new Map());
  }

  /** The enclosing transaction, if there is one, can still undo the changes. */
  commit(): void {
    const changed = this.#before.pop();
    const outer = this.#before.at(-1);
    if (changed === undefined || outer === undefined) return;
    for (const [key, before] of changed) if (!outer.has(key)) outer.set(key, before);
  }

  rollback(): void {
    for (const [key, before] of this.#before.pop() ?? [])
      if (before === undefined) this.#values.delete(key);
      else this.#values.set(key, before);
  }

  #note(key: Key): void {
    const before = this.#before.at(-1);
    if (before !== undefined && !before.has(key)) before.set(key, this.#values.get(key));
  }
}
