import { FIRST_PLACE, type ListPlace } from "../../cells/list-place.ts";
import { BAD_CURSOR } from "../../protocol/bad-cursor.ts";
import { placeOfCursor, type CursorList } from "../../protocol/list-cursor.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { MusterError } from "../../protocol/errors.ts";

/**
 * Reads the cursor of a list by sequence number. Accepts only the canonical form, and only numbers that a double
 * represents exactly.
 */
export function readSequence(
  list: CursorList,
  cursor: string | undefined,
): Result<number | undefined, MusterError> {
  if (cursor === undefined) return ok(undefined);
  const place = placeOfCursor(list, cursor) ?? "";
  return /^[1-9][0-9]{0,14}$/.test(place) ? ok(Number(place)) : badCursor();
}

export const badCursor = (): Result<never, MusterError> => err(BAD_CURSOR);

/** The place behind which a page begins: that which the route says, or that of the item that a cursor of a mesh of one cell names. */
export const placeBefore = (
  after: ListPlace,
  sequence: number | undefined,
  placeOf: (seq: number) => ListPlace,
): ListPlace => (sequence === undefined ? after : placeOf(sequence));

/** The page of a list in the order of places, of which one item more than fits was read. */
export function placedPage<T, V>(
  { limit, begins = FIRST_PLACE }: { readonly limit: number; readonly begins?: ListPlace },
  found: readonly T[],
  { place, view }: { readonly place: (item: T) => ListPlace; readonly view: (item: T) => V },
) {
  const page = found.slice(0, limit);
  return {
    items: page.map(view),
    paging: {
      // The route reads from it only whether there is more.
      next_cursor: found.length > limit ? "more" : null,
      places: page.map(place),
      begins,
    },
  };
}
