import type { Millis } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import { knownCellOfTask } from "../cells/task-cell.ts";
import type { Input, Output } from "../contract/commands.ts";
import { BAD_CURSOR } from "../protocol/bad-cursor.ts";
import { RPC_TIMEOUT } from "../protocol/constants.ts";
import { PEERS_SCHEDULED_MAX } from "../protocol/drain-limits.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { BulkView } from "../protocol/http.ts";
import { PeerId } from "../protocol/ids.ts";
import { BULK_CHANGED_MAX, BULK_IDS_SHOWN, BULK_PREVIEWED_MAX } from "../protocol/task-limits.ts";
import { missingCells } from "./every-cell.ts";
import { findMoved, type BulkName } from "./moved-tasks.ts";
import type { Network, Route } from "./network.ts";
import { swept, type Piece } from "./sweep.ts";
import { readSweepPlace, type SweepPlace } from "./sweep-cursor.ts";

/** An act on many tasks. */
export const toTasks =
  <K extends BulkName>(name: K): Route<K> =>
  (network, input) =>
    input.ids === undefined
      ? actOnFilter(network, name, input)
      : actOnNamed(network, name, input, input.ids);

type Answer<K extends BulkName> = Promise<Result<Output<K>, MusterError>>;

/** Where the tasks of a filter begin in a cell: only those that were there at this time are concerned. */
const startOf = (until: string | number): string => `${until}-0-0`;

async function actOnFilter<K extends BulkName>(
  network: Network,
  name: K,
  input: Input<K>,
): Answer<K> {
  const begin = beginOf(input.cursor, startOf(network.now), /^\d{1,15}-\d{1,15}-\d{1,15}$/);
  if (begin === null) return err(BAD_CURSOR);
  const done = await swept(network, {
    begin,
    start: startOf(begin.inner.split("-")[0] ?? ""),
    // Tasks that wait may move to a cell that the act has been through. Those that have ended stay where they are.
    repeats: name === "cancel_tasks",
    limit: name === "preview_tasks" ? BULK_PREVIEWED_MAX : BULK_CHANGED_MAX,
    ask: async (cell, cursor) => pieceOf(await network.ask(cell, name, { ...input, cursor })),
  });
  if (!done.ok) return done;
  const { pieces, next, missing } = done.value;
  return ok(
    viewOf(
      pieces.map(({ view }) => view),
      next,
      missing,
    ) as Output<K>,
  );
}

const pieceOf = (
  answer: Result<BulkView, MusterError>,
): Result<Piece & { readonly view: BulkView }, MusterError> =>
  answer.ok
    ? ok({ view: answer.value, count: answer.value.count, next: answer.value.next_cursor })
    : answer;

/** A request ends soon after this time: each task may have moved to a cell that does not answer, for which its cell waits so long. */
const ACTED_FOR: Millis = RPC_TIMEOUT;

/** The named tasks, by their cells; the cursor is a number of them, as in a mesh of one cell. */
async function actOnNamed<K extends BulkName>(
  network: Network,
  name: K,
  input: Input<K>,
  named: readonly string[],
): Answer<K> {
  const { cursor = "0" } = input;
  if (!/^(?:0|[1-9]\d{0,3})$/.test(cursor)) return err(BAD_CURSOR);
  const cellOf = (id: string) => knownCellOfTask(network.topology, id);
  const ids = [...new Set(named)].toSorted((a, b) => cellOf(a) - cellOf(b));
  const views: BulkView[] = [];
  const missing: number[] = [];
  const until = network.now + ACTED_FOR;
  let at = Number(cursor);
  const end = name === "preview_tasks" ? ids.length : at + BULK_CHANGED_MAX;
  while (at < Math.min(end, ids.length) && missing.length === 0 && network.now < until) {
    const cell = cellOf(ids[at] as string);
    const part = ids.slice(at, end).filter((id) => cellOf(id) === cell);
    const { cursor: _, ...rest } = input;
    const asked = { ...rest, ids: part } as Input<K>;
    const answer = await network.ask(cell, name, asked);
    if (answer.ok) {
      const { next_cursor: next } = answer.value;
      views.push(await findMoved(network, name, input, { view: answer.value, until }));
      at += next === null ? part.length : Number(next);
      if (next !== null) break;
    } else if (answer.error.code === "unavailable") {
      if (part.length === ids.length) return answer;
      missing.push(cell);
      at += part.length;
    } else if (views.length === 0) return answer;
    else break;
  }
  return ok(viewOf(views, at < ids.length ? String(at) : null, missing) as Output<K>);
}

const viewOf = (
  views: readonly BulkView[],
  next: string | null,
  missing: readonly number[],
): BulkView => ({
  count: views.reduce((sum, { count }) => sum + count, 0),
  task_ids: views.flatMap(({ task_ids: ids }) => ids).slice(0, BULK_IDS_SHOWN),
  skipped: views.flatMap(({ skipped }) => skipped),
  next_cursor: next,
  ...missingCells(missing),
});

/** Where an act goes on. A cursor of a mesh of one cell, which is of this form, goes on in cell 0. */
function beginOf(cursor: string | undefined, start: string, single: RegExp): SweepPlace | null {
  const begin: SweepPlace = { round: 0, hasChanged: false, cell: 0, inner: start };
  if (cursor === undefined) return begin;
  if (single.test(cursor)) return { ...begin, inner: cursor };
  const place = readSweepPlace(cursor);
  return place === null || !(place.inner === start || single.test(place.inner)) ? null : place;
}

/** Peers that meet conditions are cordoned, uncordoned or drained. */
export const toSelectedPeers: Route<"schedule_peers"> = async (network, input) => {
  const begin = beginOf(input.cursor, "", /^[0-9a-f]{32}$/);
  if (begin === null) return err(BAD_CURSOR);
  const done = await swept(network, {
    begin,
    start: "",
    repeats: false,
    limit: PEERS_SCHEDULED_MAX,
    ask: async (cell, inner) => {
      const cursor = PeerId.safeParse(inner).data;
      const asked = { ...input, cursor };
      const answer = await network.ask(cell, "schedule_peers", asked);
      if (!answer.ok) return answer;
      const { peers, next_cursor: next } = answer.value;
      return ok({ peers, count: peers.length, next });
    },
  });
  if (!done.ok) return done;
  const { pieces, next, missing } = done.value;
  const peers = pieces.flatMap((piece) => piece.peers);
  return ok({ peers, next_cursor: next, ...missingCells(missing) });
};
