/** The numbers of listed pointers by epoch, kept in memory until a pointer is written: a mesh is listed far more often. */
export class ListedCounts {
  #counts: ReadonlyMap<number, number> | null = null;

  read(count: () => ReadonlyMap<number, number>): ReadonlyMap<number, number> {
    return (this.#counts ??= count());
  }

  forget(): void {
    this.#counts = null;
  }

  begin(): void {
    // Nothing to remember: after a rollback the pointers are counted again.
  }

  commit(): void {
    // What was counted in the transaction holds.
  }

  rollback(): void {
    this.forget();
  }
}
