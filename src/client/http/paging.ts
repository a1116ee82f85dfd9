import type { Api, ApiRequest, ShapeSource } from "./api.ts";

/** The items of a list endpoint. `for await` requests a page when it reaches it; `toArray` requests all pages. */
export class Listing<T> implements AsyncIterable<T> {
  readonly #fetchPage: (cursor: string | undefined) => Promise<Page<T>>;

  constructor(fetchPage: (cursor: string | undefined) => Promise<Page<T>>) {
    this.#fetchPage = fetchPage;
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

interface Page<T> {
  readonly items: readonly T[];
  /** The cursor of the next page; null on the last page. */
  readonly next: string | null;
}

/** The listing of an endpoint. `itemsOf` selects the items of an answer; an answer without `next_cursor` is the last. */
export const listing = <A extends object, T>(
  api: Api,
  shape: ShapeSource<A>,
  { path, query = {} }: Pick<ApiRequest, "path" | "query">,
  itemsOf: (answer: A) => readonly T[],
): Listing<T> =>
  new Listing(async (cursor) => {
    const answer = await api.json(shape, { path, query: { ...query, cursor } });
    const { next_cursor: next = null } = answer as { readonly next_cursor?: string | null };
    return { items: itemsOf(answer), next };
  });
