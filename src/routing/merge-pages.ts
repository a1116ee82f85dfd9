import { err, ok, type Result } from "../base/result.ts";
import { comparePlaces, laterPlace, type ListPlace } from "../cells/list-place.ts";
import type { MusterError } from "../protocol/errors.ts";
import { placeIn, positionOf, type ListPosition } from "./list-position.ts";

/** An item of a list, with its place and the cell that has it. */
export interface ListItem<T> {
  readonly place: ListPlace;
  readonly cell: number;
  readonly value: T;
}

/** What a cell has of a list behind a place, in the order of places. */
interface Part<T> {
  readonly items: readonly ListItem<T>[];
  readonly hasMore: boolean;
}

/** Reads at most `limit` items of a cell behind a place. */
export type ReadPart<T> = (
  cell: number,
  after: ListPlace,
  limit: number,
) => Promise<Result<Part<T>, MusterError>>;

export interface MergedPage<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null if there is none. */
  readonly next: ListPosition | null;
  /** The cells that do not answer. */
  readonly missing: readonly number[];
}

/** One cell while a page is put together. */
interface Source<T> {
  readonly cell: number;
  /** Up to here its items were shown, or it has none. */
  from: ListPlace;
  /** Items that were read and not taken yet. */
  items: ListItem<T>[];
  /** `absent`: the cell does not know what the list is of. */
  state: "more" | "ended" | "missing" | "absent";
  /** Up to here its items are known. */
  readTo: ListPlace;
  chunk: number;
  error: MusterError | null;
}

/**
 * One page of a list of which each cell has a part. A cell that does not answer is missing in it: the next page goes on in that cell from
 * where it was, so nothing is left out once it answers. An item that two cells show, because it is being moved, is one item.
 *
 * @param better the one of two items with the same place that is shown
 */
export async function mergedPage<T>(
  cells: readonly number[],
  position: ListPosition,
  limit: number,
  read: ReadPart<T>,
  better: (a: ListItem<T>, b: ListItem<T>) => ListItem<T>,
): Promise<Result<MergedPage<T>, MusterError>> {
  const sources = cells.map((cell): Source<T> => {
    const from = placeIn(position, cell);
    const chunk = chunkOf(limit, cells.length);
    return { cell, from, items: [], state: "more", readTo: from, chunk, error: null };
  });
  const taken: ListItem<T>[] = [];
  for (;;) {
    const empty = sources.filter(({ state, items }) => state === "more" && items.length === 0);
    if (taken.length >= limit || empty.length === 0) break;
    const refused = await Promise.all(empty.map((source) => refill(source, read, limit)));
    const error = refused.find((one) => one !== null);
    if (error !== undefined) return err(error);
    takeUntilEmpty(sources, taken, limit, better);
  }
  const fault = faultOf(sources);
  if (fault !== null) return err(fault);
  return ok({
    items: taken.map(({ value }) => value),
    next: nextOf(sources, taken.at(-1)?.place ?? null),
    missing: sources.filter(({ state }) => state === "missing").map(({ cell }) => cell),
  });
}

/** Items that a cell is asked for at first: twice its share of the page, since the shares of a page differ. */
const chunkOf = (limit: number, cells: number): number =>
  Math.min(limit, 2 * Math.ceil(limit / cells) + 8);

/** Reads the next items of a cell. An error of the request itself is returned. */
async function refill<T>(
  source: Source<T>,
  read: ReadPart<T>,
  limit: number,
): Promise<MusterError | null> {
  const part = await read(source.cell, source.readTo, source.chunk);
  source.chunk = Math.min(limit, 2 * source.chunk);
  if (part.ok) {
    source.items = [...part.value.items];
    source.readTo = part.value.items.at(-1)?.place ?? source.readTo;
    // A cell that has more and shows nothing would be asked for ever.
    const hasMore = part.value.hasMore && part.value.items.length > 0;
    source.state = hasMore ? "more" : "ended";
    return null;
  }
  source.error = part.error;
  if (part.error.code === "unavailable") source.state = "missing";
  else if (part.error.code === "not_found") source.state = "absent";
  else return part.error;
  return null;
}

/** Takes the first items of all, as long as each cell that has more shows one. */
function takeUntilEmpty<T>(
  sources: readonly Source<T>[],
  taken: ListItem<T>[],
  limit: number,
  better: (a: ListItem<T>, b: ListItem<T>) => ListItem<T>,
): void {
  while (taken.length < limit) {
    if (sources.some(({ state, items }) => state === "more" && items.length === 0)) return;
    const heads = sources.flatMap(({ items }) => items.slice(0, 1));
    const [first] = heads.toSorted((a, b) => comparePlaces(a.place, b.place));
    if (first === undefined) return;
    const same = heads.filter(({ place }) => comparePlaces(place, first.place) === 0);
    for (const source of sources)
      if (source.items[0] !== undefined && same.includes(source.items[0])) source.items.shift();
    taken.push(same.reduce(better));
  }
}

/** The error of a list that no cell shows: all are missing, or none knows what it is of. */
function faultOf<T>(sources: readonly Source<T>[]): MusterError | null {
  const silent = sources.filter(({ state }) => state === "missing" || state === "absent");
  if (silent.length < sources.length) return null;
  const missing = sources.find(({ state }) => state === "missing") ?? sources[0];
  return missing?.error ?? null;
}

/** Where the next page begins; null if the cells that answer have nothing more. */
function nextOf<T>(sources: readonly Source<T>[], last: ListPlace | null): ListPosition | null {
  const isMore = sources.some(({ state, items }) => state === "more" || items.length > 0);
  if (!isMore) return null;
  const places = sources.map((source): [number, ListPlace] => {
    const reached = last === null ? source.from : laterPlace(source.from, last);
    // What a cell has behind that, nobody has seen.
    if (source.state !== "missing" || comparePlaces(reached, source.readTo) <= 0)
      return [source.cell, reached];
    return [source.cell, source.readTo];
  });
  return positionOf(new Map(places));
}
