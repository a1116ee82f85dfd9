/** Which rows of a long list are on the page: only those in sight, and some around them. */

export interface VisibleRows {
  /** Index of the first row that is on the page. */
  readonly from: number;
  /** Index after the last one. */
  readonly to: number;
}

/** Rows beyond the edges, so that scrolling shows no gap. */
const OVERSCAN = 12;

/**
 * The rows that are on the page, of a list with `count` rows.
 *
 * @param top and `height`: the visible part of the list, in pixels
 * @param rowHeight of each row, in pixels
 */
export function visibleRows(
  { top, height }: { readonly top: number; readonly height: number },
  rowHeight: number,
  count: number,
): VisibleRows {
  const first = Math.floor(Math.max(0, top) / rowHeight);
  const seen = Math.ceil(Math.max(0, height) / rowHeight) + 1;
  const from = Math.max(0, Math.min(first, count) - OVERSCAN);
  return { from, to: Math.min(count, first + seen + OVERSCAN) };
}
