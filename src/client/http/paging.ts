interface PageOf<T> {
  readonly items: readonly T[];
  /** The cursor of the next page; null on the last page. */
  readonly next: string | null;
}

/** The items of a list endpoint. `for await` requests a page when it reaches it; `toArray` requests all pages. */
export class Listing<T> implements AsyncIterable<T> {
  readonly #fetchPage: (cursor: string | undefined) => Promise<PageOf<T>>;

  constructor(fetchPage: (cursor: string | undefined) => Promise<PageOf<T>>) {
    this.#fetchPage = fetchPage;
  }

  /** A list that the mesh returns whole, without pages. */
  static unpaged<T>(fetchItems: () => Promise<readonly T[]>): Listing<T> {
    return new Listing(async () => ({ items: await fetchItems(), next: null }));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    let cursor: string | undefined;
    do {
      const page = await this.#fetchPage(cursor);
      yield* page.items;
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
  }

  /** Every item, in order. */
  async toArray(): Promise<readonly T[]> {
    const items: T[] = [];
    for await (const item of this) items.push(item);
    return items;
  }
}
