import { toHex } from "../../base/bytes.ts";
import type { Millis } from "../../base/clock.ts";
import { numberOf, readMeshPosition } from "../../cells/mesh-position.ts";
import { sha256 } from "../../crypto/primitives.ts";

/** Hex digits of the mark by which the positions of one mesh differ from those of another. */
const MARK_LENGTH = 8;

/** The mark of a mesh: its signing key stays the same for as long as the mesh exists. */
export const markOf = (verifyingKey: Uint8Array): string =>
  toHex(sha256(verifyingKey)).slice(0, MARK_LENGTH);

/** The number of an event as callers see it. */
export const toPosition = (id: number, mark: string): string => `${id}-${mark}`;

/** A position that a caller named. */
export interface NamedPosition {
  readonly id: number;
  /** Whether another mesh gave it. */
  readonly isForeign: boolean;
}

/** Reads a position of a valid form. One of a mesh of several cells that comes to the only cell of another mesh is foreign anyway. */
export function readPosition(text: string, mark: string): NamedPosition {
  return { id: numberOf(text), isForeign: readMeshPosition(text).mark !== mark };
}

/** Where the gateway begins in a cell from which it did not get a position yet: with what was committed from this time on. Clients have no such position. */
export const sinceText = (at: Millis): string => `${SINCE}${at}`;

/** The time of a position that has one; null for every other position. */
export const readSince = (text: string): Millis | null =>
  text.startsWith(SINCE) ? Number(text.slice(SINCE.length)) : null;
const SINCE = "since:";
