import type { PointerList } from "../../protocol/http.ts";
import type { ApiRequest } from "../http/api.ts";

/**
 * What is wrong with the place in the list at which a page ends; null when nothing is. Positions are not signed: a source that repeats
 * a page, or names a place that it has not reached, could keep a reader reading for ever.
 */
export function positionFault(
  { cursor, since: after }: NonNullable<ApiRequest["query"]>,
  { pointers, removed, since, next_cursor: next, checkpoint: { seq } }: PointerList,
): string | null {
  if (after === undefined) {
    if (since !== String(seq)) return `the page names the position ${since}, and not ${seq}`;
    const isSorted = isRising([String(cursor ?? ""), ...pointers.map(({ id }) => id)]);
    if (!isSorted) return "the page is not sorted, or does not begin where the one before ended";
    return next === null || next === pointers.at(-1)?.id ? null : NOT_AT_ITS_END;
  }
  if (next === null)
    return since === String(seq) ? null : `the last changes end at ${since}, and not at ${seq}`;
  const end = Math.max(...[...pointers, ...removed].map((each) => each.seq));
  return next === since && since === String(end) && end > Number(after) && end <= seq
    ? null
    : NOT_AT_ITS_END;
}

const NOT_AT_ITS_END = "the next page does not begin where this one ends";

const isRising = (texts: readonly string[]): boolean =>
  texts.every((text, index) => index === 0 || text > (texts[index - 1] as string));
