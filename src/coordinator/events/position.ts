import { toHex } from "../../base/bytes.ts";
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

/** Reads a position of a valid form. */
export function readPosition(text: string, mark: string): NamedPosition {
  const [id = "", given = ""] = text.split("-");
  return { id: Number(id), isForeign: given !== mark };
}
