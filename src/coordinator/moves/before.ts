import { ok } from "../../base/result.ts";
import type { Before, CellCalls } from "../cells/cell-calls.ts";
import type { Input, Output } from "../../contract/commands.ts";
import type { BatchView, TaskView } from "../../protocol/http.ts";
import { assignerScope } from "../tasks/assigner-scope.ts";
import { batchItemKey } from "../tasks/submit.ts";
import { askHolder, cellOfOwnTask, holderOf, isMoving, toHolder } from "./forwarded.ts";

const idOf = ({ id }: { readonly id: string }): string => id;
const taskIdOf = ({ taskId }: { readonly taskId: string }): string => taskId;

type Key = { readonly scope: string; readonly key: string } | null;

/** The task that an idempotency key made, if it has moved. */
function movedTaskOf({ registry, now }: CellCalls, idempotency: Key): string | null {
  if (idempotency === null) return null;
  const made = registry.idempotency.get(idempotency.scope, idempotency.key, now());
  return made !== null && holderOf(registry, made.taskId) !== null ? made.taskId : null;
}

/** Reads a task that has moved. One that was deleted there is forgotten here: null. */
async function readMoved(cell: CellCalls, id: string) {
  const read = await askHolder(cell, id, (holder) =>
    cell.ask(holder, "admin", "get_task", { id, visibleTo: null }),
  );
  if (read.ok || read.error.code !== "not_found") return read;
  await cell.runHere("mesh", "forget_forward", { id });
  return null;
}

/** A repeated key whose task has moved is answered with the task, after this cell has compared the requests. */
const submitMoved: Before<"submit_task"> = (cell, input, actor) => {
  const id = movedTaskOf(cell, input.idempotency);
  if (id === null) return null;
  return async () => {
    const answer = await cell.runHere(actor, "submit_task", input);
    if (answer.ok || !isMoving(answer.error)) return answer;
    const read = await readMoved(cell, id);
    return read?.ok === true ? ok({ task: read.value, duplicate: true }) : read;
  };
};

const enqueueMoved: Before<"enqueue_task"> = (cell, input, actor) => {
  const id = movedTaskOf(cell, input.idempotency);
  if (id === null) return null;
  return async () => {
    const read = await readMoved(cell, id);
    // Its ID can be told while it is on its way, too.
    const isKnown = read === null || read.ok || isMoving(read.error);
    return isKnown ? cell.runHere(actor, "enqueue_task", input) : read;
  };
};

const batchMoved: Before<"submit_batch"> = (cell, input, actor) => {
  const { idempotency, tasks } = input;
  if (idempotency === null) return null;
  const idAt = (at: number) => movedTaskOf(cell, batchItemKey(idempotency, at));
  if (tasks.every((_, at) => idAt(at) === null)) return null;
  return async () => {
    const answer = await cell.runHere(actor, "submit_batch", input);
    if (!answer.ok) return answer;
    const results: Output<"submit_batch">["results"] = await Promise.all(
      answer.value.results.map(async (result, at): Promise<BatchView["results"][number]> => {
        const id = "error" in result && isMoving(result.error) ? idAt(at) : null;
        const read = id === null ? null : await readMoved(cell, id);
        return read?.ok === true ? { task: summaryOf(read.value), duplicate: true } : result;
      }),
    );
    return ok({ results });
  };
};

type Summary = Extract<BatchView["results"][number], { task: unknown }>["task"];

/** A view without what a summary leaves out. */
function summaryOf({
  payload: _payload,
  tracestate: _tracestate,
  result: _result,
  attempts: _attempts,
  callback: _callback,
  result_sealed: _sealed,
  result_bytes: _bytes,
  result_url: _url,
  result_sha256: _sha256,
  result_fence: _fence,
  result_signature: _signature,
  ...summary
}: TaskView): Summary {
  return summary;
}

type OwnCommand = "assign_task" | "query_task" | "recall_task" | "retry_own_task";

/** A peer's own task that has moved: this cell, the peer's home, checks the session, and the other cell shows the task. */
async function ownMoved<K extends OwnCommand>(
  cell: CellCalls,
  { actor, name, input }: { readonly actor: string; readonly name: K; readonly input: Input<K> },
  asked: Pick<Input<"own_task">, "act" | "id" | "options">,
) {
  const checked = await cell.runHere(actor, name, input);
  const isElsewhere =
    !checked.ok && (checked.error.code === "not_found" || isMoving(checked.error));
  if (!isElsewhere) return checked;
  const ask = { ...asked, owner: input.peerId };
  return askHolder(cell, asked.id, (holder) => cell.ask(holder, cell.self, "own_task", ask));
}

const assignMoved: Before<"assign_task"> = (cell, input, actor) => {
  const { key, peerId } = input;
  const id = movedTaskOf(cell, key === null ? null : { scope: assignerScope(peerId), key });
  if (id === null) return null;
  return () =>
    ownMoved(cell, { actor, name: "assign_task", input }, { act: "show", id, options: {} });
};

const ownBefore =
  <K extends "query_task" | "recall_task" | "retry_own_task">(
    name: K,
    act: Input<"own_task">["act"],
  ) =>
  (cell: CellCalls, input: Input<K>, actor: string) => {
    const { id, peerId: _peerId, epoch: _epoch, ...options } = input;
    if (cellOfOwnTask(cell.registry, id) === null) return null;
    return () => ownMoved(cell, { actor, name, input }, { act, id, options });
  };

/** The same for a result that a peer reads by a ticket, without a session. */
const ownResultMoved: Before<"read_own_result"> = (cell, input, actor) => {
  const { id, peerId } = input;
  if (cellOfOwnTask(cell.registry, id) === null) return null;
  return async () => {
    const checked = await cell.runHere(actor, "read_own_result", input);
    if (checked.ok || checked.error.code !== "not_found") return checked;
    return askHolder(cell, id, (holder) =>
      cell.ask(holder, "admin", "read_result", { id, visibleTo: peerId }),
    );
  };
};

/** A retry gives the task another deadline: where it went is remembered until then. */
const retryMoved: Before<"retry_task"> = (cell, input, actor) => {
  const work = toHolder("retry_task", idOf)(cell, input, actor);
  if (work === null) return null;
  return async () => {
    const answer = await work();
    if (answer.ok) await cell.runHere("mesh", "renew_forward", { id: input.id });
    return answer;
  };
};

type AboutTask =
  | OwnCommand
  | "get_task"
  | "cancel_task"
  | "retry_task"
  | "why_task"
  | "trace_task"
  | "read_result"
  | "read_own_result"
  | "repeat_callback"
  | "read_payload"
  | "begin_result"
  | "result_uploaded"
  | "submit_task"
  | "enqueue_task"
  | "submit_batch";

/** The work before the commands about tasks, which may have moved. */
export const MOVED_TASKS: { readonly [K in AboutTask]: Before<K> } = {
  get_task: toHolder("get_task", idOf),
  cancel_task: toHolder("cancel_task", idOf),
  retry_task: retryMoved,
  why_task: toHolder("why_task", idOf),
  trace_task: toHolder("trace_task", idOf),
  read_result: toHolder("read_result", idOf),
  repeat_callback: toHolder("repeat_callback", idOf),
  read_payload: toHolder("read_payload", taskIdOf),
  begin_result: toHolder("begin_result", taskIdOf),
  result_uploaded: toHolder("result_uploaded", taskIdOf),
  read_own_result: ownResultMoved,
  submit_task: submitMoved,
  enqueue_task: enqueueMoved,
  submit_batch: batchMoved,
  assign_task: assignMoved,
  query_task: ownBefore("query_task", "show"),
  recall_task: ownBefore("recall_task", "cancel"),
  retry_own_task: ownBefore("retry_own_task", "retry"),
};
