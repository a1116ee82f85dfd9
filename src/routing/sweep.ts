import { err, ok, type Result } from "../base/result.ts";
import { liveCells } from "../cells/topology.ts";
import type { MusterError } from "../protocol/errors.ts";
import { TopologyChanged, type Network } from "./network.ts";
import { nextInSweep, writeSweepPlace, type SweepPlace } from "./sweep-cursor.ts";

/** What one cell has done of an act. */
export interface Piece {
  /** Items that were changed. */
  readonly count: number;
  /** Where the cell goes on; null when it has nothing more. */
  readonly next: string | null;
}

export interface Sweep<P extends Piece> {
  readonly begin: SweepPlace;
  /** The cursor with which a cell begins. */
  readonly start: string;
  /** Whether the act goes through the cells again, because what it changes may move. */
  readonly repeats: boolean;
  /** Changed items after which a request ends. */
  readonly limit: number;
  readonly ask: (cell: number, inner: string) => Promise<Result<P, MusterError>>;
}

export interface Swept<P> {
  readonly pieces: readonly P[];
  readonly next: string | null;
  readonly missing: readonly number[];
}

/**
 * One request of an act on many items: the cells one after the other, until as many items were changed as one cell changes at once. A cell
 * that does not answer is named, and the act goes on behind it with the next request: this one may have waited long.
 */
export async function swept<P extends Piece>(
  network: Network,
  { begin, start, repeats, limit, ask }: Sweep<P>,
): Promise<Result<Swept<P>, MusterError>> {
  const cells = liveCells(network.topology);
  const pieces: P[] = [];
  let count = 0;
  let place: SweepPlace | null = isLive(cells, begin)
    ? begin
    : nextInSweep(begin, cells, { repeats, start });
  while (place !== null) {
    const { cell, inner }: SweepPlace = place;
    const answer = await askUnlessChanged(pieces.length > 0, () => ask(cell, inner));
    if (answer === null) break;
    if (!answer.ok) {
      if (answer.error.code === "unavailable") {
        const next: SweepPlace | null = nextInSweep(place, cells, { repeats, start });
        const isAll = next === null && cells.length === 1;
        return isAll ? answer : ok({ pieces, next: textOf(next), missing: [cell] });
      }
      // What was done before is the answer; the next request begins with what was refused.
      if (count === 0) return err(answer.error);
      break;
    }
    pieces.push(answer.value);
    count += answer.value.count;
    place = { ...place, hasChanged: place.hasChanged || answer.value.count > 0 };
    if (answer.value.next !== null) {
      place = { ...place, inner: answer.value.next };
      break;
    }
    place = nextInSweep(place, cells, { repeats, start });
    if (count >= limit) break;
  }
  return ok({ pieces, next: textOf(place), missing: [] });
}

const textOf = (place: SweepPlace | null): string | null =>
  place === null ? null : writeSweepPlace(place);

const isLive = (cells: readonly number[], { cell }: SweepPlace): boolean => cells.includes(cell);

/** Null if the cell knows another topology and cells before it have done their parts: their answers must not be lost. */
async function askUnlessChanged<T>(hasDone: boolean, ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (thrown) {
    if (hasDone && thrown instanceof TopologyChanged) return null;
    throw thrown;
  }
}
