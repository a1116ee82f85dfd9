import { err, ok, type Result } from "../base/result.ts";
import { FIRST_PLACE, type ListPlace } from "../cells/list-place.ts";
import { homeOf, liveCells } from "../cells/topology.ts";
import type { Input, Output } from "../contract/commands.ts";
import type { PageOutput } from "../contract/inputs.ts";
import { BAD_CURSOR } from "../protocol/bad-cursor.ts";
import { RPC_TIMEOUT } from "../protocol/constants.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { PeerView } from "../protocol/http.ts";
import { PeerId } from "../protocol/ids.ts";
import { cursorOf, placeOfCursor, type CursorList } from "../protocol/list-cursor.ts";
import { askInTime, missingCells } from "./every-cell.ts";
import {
  isOfSeveralCells,
  LIST_START,
  readPosition,
  writePosition,
  type ListPosition,
} from "./list-position.ts";
import { mergedPage, type ListItem, type ReadPart } from "./merge-pages.ts";
import type { Network, Route } from "./network.ts";

/** The lists of which each cell has a part. */
type ListName = "list_tasks" | "list_peers" | "list_audit" | "list_denied" | "list_deliveries";

/** The member of an answer that has the items. */
type ItemsOf<K extends ListName> = Exclude<keyof Output<K>, keyof PageOutput>;

interface PagedList<K extends ListName> {
  readonly list: CursorList;
  readonly items: ItemsOf<K>;
  /** The place that the cursor of a mesh of one cell says; null if it says none. Absent: only cell 0 knows it. */
  readonly readPlace?: (text: string) => ListPlace | null;
  readonly better?: (
    network: Network,
    a: ListItem<unknown>,
    b: ListItem<unknown>,
  ) => ListItem<unknown>;
}

/** A list that merges those of all cells. */
export const toPagedList =
  <K extends ListName>(name: K, list: PagedList<K>): Route<K> =>
  async (network, input) => {
    const { cursor: _, limit, ...query } = input;
    const begin = await beginOf(network, name, list, input);
    if (!begin.ok) return begin;
    const read: ReadPart<unknown> = async (cell, after, part) => {
      const asked = { ...query, limit: part, after } as Input<K>;
      const answer = await askInTime(network, cell, name, asked, RPC_TIMEOUT);
      return answer.ok ? ok(partOf(cell, answer.value, list.items)) : answer;
    };
    const better = (a: ListItem<unknown>, b: ListItem<unknown>) =>
      list.better === undefined ? a : list.better(network, a, b);
    const page = await mergedPage(liveCells(network.topology), begin.value, limit, read, better);
    if (!page.ok) return page;
    const { items, next, missing } = page.value;
    return ok({
      [list.items]: items,
      next_cursor: next === null ? null : cursorOf(list.list, writePosition(next)),
      ...missingCells(missing),
    } as unknown as Output<K>);
  };

function partOf<K extends ListName>(cell: number, answer: Output<K>, items: ItemsOf<K>) {
  const { places = [], next_cursor: next } = answer as PageOutput;
  const values = answer[items] as readonly unknown[];
  return {
    items: values.map((value, at) => ({ cell, value, place: places[at] as ListPlace })),
    hasMore: next !== null,
  };
}

/** Where a page begins. A cursor that was given before the mesh had several cells goes on from where it was. */
async function beginOf<K extends ListName>(
  network: Network,
  name: K,
  { list, readPlace }: PagedList<K>,
  input: Input<K>,
): Promise<Result<ListPosition, MusterError>> {
  const { cursor } = input;
  if (cursor === undefined) return ok(LIST_START);
  const text = placeOfCursor(list, cursor);
  if (text === null) return err(BAD_CURSOR);
  if (isOfSeveralCells(text)) {
    const position = readPosition(text);
    return position === null ? err(BAD_CURSOR) : ok(position);
  }
  if (readPlace !== undefined) {
    const place = readPlace(text);
    return place === null ? err(BAD_CURSOR) : ok({ ...LIST_START, place });
  }
  // It is a sequence number of cell 0, which says what place that is.
  const asked = await network.ask(0, name, { ...input, limit: 1, after: FIRST_PLACE });
  if (!asked.ok) return asked;
  return ok({ ...LIST_START, place: (asked.value as PageOutput).begins ?? FIRST_PLACE });
}

/** Peers are in the order of their IDs, which are the cursors of a mesh of one cell. */
export const placeOfPeer = (text: string): ListPlace | null =>
  PeerId.safeParse(text).success ? { at: 0, id: text } : null;

/**
 * A peer may be shown by two cells: while its record is handed over, and if peers of one cell advertise a peer that has a record in another.
 * The record counts, and of two that of the peer's home.
 */
export function betterPeer(
  { topology }: Network,
  a: ListItem<unknown>,
  b: ListItem<unknown>,
): ListItem<unknown> {
  const rank = ({ cell, value }: ListItem<unknown>): number => {
    const { id, state } = value as PeerView;
    if (state === "discovered") return 2;
    return homeOf(topology, id) === cell ? 0 : 1;
  };
  return rank(b) < rank(a) ? b : a;
}
