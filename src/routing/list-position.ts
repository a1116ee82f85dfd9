import {
  comparePlaces,
  FIRST_PLACE,
  laterPlace,
  placeText,
  readPlaceText,
  type ListPlace,
} from "../cells/list-place.ts";
import { CELLS_MAX } from "../cells/topology.ts";

/**
 * How far a list of all cells has been read: up to a place, except in the cells that did not answer for a page. Those go on from where
 * they were.
 */
export interface ListPosition {
  readonly place: ListPlace;
  readonly behind: ReadonlyMap<number, ListPlace>;
}

export const LIST_START: ListPosition = { place: FIRST_PLACE, behind: new Map() };

/** The place from which a cell goes on. One that the position does not name has been read as far as the others. */
export const placeIn = ({ place, behind }: ListPosition, cell: number): ListPlace =>
  behind.get(cell) ?? place;

/** The position of cells that have been read up to these places. */
export function positionOf(places: ReadonlyMap<number, ListPlace>): ListPosition {
  const place = [...places.values()].reduce(laterPlace, FIRST_PLACE);
  const behind = [...places].filter(([, one]) => comparePlaces(one, place) < 0);
  return { place, behind: new Map(behind) };
}

/** What cursors of several cells begin with; those of a mesh of one cell do not. */
const BEGIN = "c:";

/** A position as a cursor: `c:PLACE`, then for each other place `~PLACE` with the cells that are there, in hexadecimal. */
export function writePosition({ place, behind }: ListPosition): string {
  const groups = new Map<string, number[]>();
  for (const [cell, one] of [...behind].toSorted(([a], [b]) => a - b)) {
    const text = textOf(one);
    groups.set(text, [...(groups.get(text) ?? []), cell]);
  }
  const others = [...groups].map(([text, cells]) => `~${text}.${cells.map(hexOf).join("")}`);
  return BEGIN + textOf(place) + others.join("");
}

/** Reads a cursor that `writePosition` has written; null if it has not. */
export function readPosition(cursor: string): ListPosition | null {
  if (!isOfSeveralCells(cursor)) return null;
  const [first = "", ...others] = cursor.slice(BEGIN.length).split("~");
  const place = readText(first);
  const behind = new Map<number, ListPlace>();
  for (const other of others) {
    const [, text = "", cells = ""] = /^([^.]*)\.((?:[0-9a-f]{2})+)$/.exec(other) ?? [];
    const one = readText(text);
    if (one === null || cells === "") return null;
    for (const cell of cells.match(/../g) ?? []) behind.set(Number.parseInt(cell, 16), one);
  }
  if (place === null || [...behind.keys()].some((cell) => cell >= CELLS_MAX)) return null;
  const position = { place, behind };
  // There is one text for each position.
  return writePosition(position) === cursor ? position : null;
}

export const isOfSeveralCells = (cursor: string): boolean => cursor.startsWith(BEGIN);

const hexOf = (cell: number): string => cell.toString(16).padStart(2, "0");

const textOf = (place: ListPlace): string =>
  comparePlaces(place, FIRST_PLACE) === 0 ? "" : placeText(place);

const readText = (text: string): ListPlace | null =>
  text === "" ? FIRST_PLACE : readPlaceText(text);
