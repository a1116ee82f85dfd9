import type { Millis } from "../base/clock.ts";

/**
 * Where an item is in a list of which each cell has a part: by time, the newest first, then by ID. What moves to another cell keeps its
 * place, so a page that continues behind a place shows nothing twice and leaves nothing out.
 */
export interface ListPlace {
  readonly at: Millis;
  readonly id: string;
}

/** The beginning of every list. */
export const FIRST_PLACE: ListPlace = { at: Number.MAX_SAFE_INTEGER, id: "" };

/** Negative if `a` comes before `b`. */
export function comparePlaces(a: ListPlace, b: ListPlace): number {
  if (a.at !== b.at) return b.at - a.at;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

/** The place that comes later. */
export const laterPlace = (a: ListPlace, b: ListPlace): ListPlace =>
  comparePlaces(a, b) < 0 ? b : a;

export const placeText = ({ at, id }: ListPlace): string => `${at}-${id}`;

/** The same of an entry of the list of barred keys. */
export function readDenyPlace(text: string): ListPlace | null {
  const place = readPlaceText(text);
  return place !== null && /^[0-9a-f]{32}$/.test(place.id) ? place : null;
}

/** Reads what `placeText` has written; null if it has not. */
export function readPlaceText(text: string): ListPlace | null {
  const [, at, id] = /^(0|[1-9]\d{0,14})-([0-9a-z-]{1,40})$/.exec(text) ?? [];
  return at === undefined || id === undefined ? null : { at: Number(at), id };
}
