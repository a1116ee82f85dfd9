import type { Millis } from "../../base/clock.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Input } from "../../contract/commands.ts";
import type { ErrorCode, MusterError } from "../../protocol/errors.ts";
import { CANCELLABLE_STATES } from "../../protocol/http.ts";
import type { SelectionFilter, SelectionSource } from "../../registry/task-selection.ts";
import type { Task } from "../../tasks/task.ts";
import type { Context } from "../kernel/context.ts";
import { badCursor } from "../kernel/paging.ts";
import { visibleTask } from "../tasks/submit.ts";

export type BulkInput = Input<"preview_tasks">;

/** One piece of the tasks that an act concerns. */
export interface Piece {
  readonly tasks: readonly SelectedTask[];
  /** The named tasks of the piece that the act does not concern, and why. */
  readonly skipped: readonly { readonly id: string; readonly code: ErrorCode }[];
  /** Where the next piece begins; null when this is the last. */
  readonly next: string | null;
}

export interface SelectedTask {
  readonly id: string;
  /** Where a piece begins that begins with this task. */
  readonly from: string;
}

/** Tasks that are read for one piece. Those that have not ended are read from their rows, the others from an index. */
const READ_MAX = { open: 1_000, unsuccessful: 10_000 } as const;

/** The next piece of the tasks that the input selects: at most `limit`. */
export const nextPiece = (
  context: Context,
  input: BulkInput,
  limit: number,
): Result<Piece, MusterError> =>
  input.ids === undefined
    ? pieceOfFilter(context, input, limit)
    : pieceOfIds(context, input, input.ids, limit);

function pieceOfIds(
  context: Context,
  { act, cursor = "0", visibleTo }: BulkInput,
  named: readonly string[],
  limit: number,
): Result<Piece, MusterError> {
  if (!/^(?:0|[1-9]\d{0,3})$/.test(cursor)) return badCursor();
  const start = Number(cursor);
  const ids = [...new Set(named)];
  const tasks: SelectedTask[] = [];
  const skipped: { id: string; code: ErrorCode }[] = [];
  for (const [index, id] of ids.slice(start, start + limit).entries()) {
    const reason = reasonToSkip(act, visibleTask(context, id, visibleTo));
    if (reason === null) tasks.push({ id, from: String(start + index) });
    else skipped.push({ id, code: reason });
  }
  return ok({ tasks, skipped, next: start + limit < ids.length ? String(start + limit) : null });
}

/** Why an act does not concern a task; null when it does. */
function reasonToSkip(act: BulkInput["act"], task: Task | null): ErrorCode | null {
  if (task === null) return "not_found";
  if (task.state === "succeeded") return "task_ended";
  const isOpen = task.endedAt === null;
  if (act === "cancel") return isOpen ? null : "task_ended";
  return isOpen ? "conflict" : null;
}

function pieceOfFilter(
  { registry, now }: Context,
  input: BulkInput,
  limit: number,
): Result<Piece, MusterError> {
  const cursor = readCursor(input.cursor, now);
  if (cursor === null) return badCursor();
  const { after, until } = cursor;
  const source: SelectionSource = input.act === "cancel" ? "open" : "unsuccessful";
  const filter = filterOf(input);
  const readMax = READ_MAX[source];
  const page = registry.taskSelection.page(source, { filter, after, until, limit, readMax });
  const cursorAfter = ({ at, seq }: { readonly at: Millis; readonly seq: number }) =>
    `${until}-${at}-${seq}`;
  return ok({
    tasks: page.tasks.map(({ id, at, seq }) => ({ id, from: cursorAfter({ at, seq: seq - 1 }) })),
    skipped: [],
    next: page.readUpTo === null ? null : cursorAfter(page.readUpTo),
  });
}

/** The place behind which a piece begins, and the time of the first piece. */
function readCursor(cursor: string | undefined, now: Millis) {
  if (cursor === undefined) return { after: null, until: now };
  const [, until, at, seq] = /^(\d{1,15})-(\d{1,15})-(\d{1,15})$/.exec(cursor) ?? [];
  return seq === undefined
    ? null
    : { after: { at: Number(at), seq: Number(seq) }, until: Number(until) };
}

/** A retry concerns cancelled tasks only where the filter says so: somebody wanted them to end. */
const statesOf = ({ act, filter }: BulkInput): SelectionFilter["states"] => {
  if (filter?.state !== undefined) return [filter.state];
  return act === "cancel" ? CANCELLABLE_STATES : ["failed", "expired"];
};

function filterOf(input: BulkInput): SelectionFilter {
  const { filter, visibleTo } = input;
  return {
    states: statesOf(input),
    kind: filter?.kind,
    source: filter?.source,
    peerId: filter?.peer_id,
    createdAfter: timeOf(filter?.created_after),
    createdBefore: timeOf(filter?.created_before),
    errorContains: filter?.error_contains,
    owners: ownersOf(filter?.owner, visibleTo),
  };
}

const timeOf = (text: string | undefined): Millis | undefined =>
  text === undefined ? undefined : Date.parse(text);

/** The owners that a task must have: that of the filter, and that whose tasks the caller may see. */
export const ownersOf = (owner: string | undefined, visibleTo: string | null): readonly string[] =>
  [owner, visibleTo].filter((one) => one !== undefined && one !== null);
