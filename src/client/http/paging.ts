interface PageOf<T> {
  readonly items: readonly T[];
  /** Names the next page; null on the last. */
  readonly next: string | null;
}

/** Every item of a list that is served page by page; each page is fetched when it is reached. */
export async function* pages<T>(
  fetchPage: (cursor: string | undefined) => Promise<PageOf<T>>,
): AsyncGenerator<T, void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await fetchPage(cursor);
    yield* page.items;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
}
