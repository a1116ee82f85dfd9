import { err, type Result } from "../base/result.ts";
import type { Alternative } from "../cells/cell-digest.ts";
import { placeOfConcurrency, placeOfKey } from "../cells/placement.ts";
import { activeCells, homeOf } from "../cells/topology.ts";
import type { GatewayCommandName, Input, Output } from "../contract/commands.ts";
import type { SubmitInput } from "../contract/tasks.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { SubmitTask } from "../protocol/http.ts";
import { betterOfTwo, waitElsewhere, type CellDemand, type ChoiceScope } from "./cell-choice.ts";
import type { CellDigests } from "./cell-digests.ts";
import {
  ELSEWHERE,
  NOT_READY,
  type Network,
  type Route,
  type SubmissionName,
  type Submitted,
} from "./network.ts";

/** Tasks that are submitted: one, or a batch. */
type Submission = Pick<SubmitInput, "idempotency" | "owner"> &
  ({ readonly task: SubmitTask } | { readonly tasks: readonly SubmitTask[] });

/**
 * The cells that may get a task, or a batch of them, the first choice first: the cell of its idempotency key, that of the peer that it names,
 * that of its concurrency key, or the better of two cells and then the other one. A batch goes to one cell, by its first task: what is
 * not at its place there moves.
 */
export function cellsOfSubmission(scope: ChoiceScope, submission: Submission): readonly number[] {
  const { topology } = scope;
  const { idempotency, owner } = submission;
  if (idempotency !== null)
    return [homeOf(topology, placeOfKey(idempotency.scope, idempotency.key))];
  const task = "task" in submission ? submission.task : submission.tasks[0];
  if (task === undefined) return [activeCells(topology)[0] ?? 0];
  const { requirements, concurrency } = task;
  if (requirements.peer_id !== undefined) return [homeOf(topology, requirements.peer_id)];
  if (concurrency !== undefined)
    return [homeOf(topology, placeOfConcurrency(owner, concurrency.key))];
  return betterOfTwo(scope, demandOf(submission));
}

/**
 * The cell to which the home of an idempotency key is to hand a task on, if the task would wait there for longer; null: to none. Only one that is
 * known to have a free slot: what waits counts for the limits of the cell that has accepted it (CE31), and a cell that hands a task on does not learn
 * that the other one has no room either.
 */
function handingOnFrom(
  home: number,
  scope: ChoiceScope,
  submission: Submission,
): Required<Omit<Alternative, "kind">> | null {
  if (submission.idempotency === null || !("task" in submission)) return null;
  const { requirements, concurrency } = submission.task;
  if (requirements.peer_id !== undefined || concurrency !== undefined) return null;
  const demand = demandOf(submission);
  const [other] = betterOfTwo(scope, demand, home);
  if (other === undefined) return null;
  const wait = knownWait(scope, other, demand);
  return wait < 0 ? { wait, handOnTo: other } : null;
}

/** Refusals of a cell that say nothing about another one, and after which nothing is stored. */
const REFUSED_HERE: ReadonlySet<MusterError["code"]> = new Set<MusterError["code"]>([
  "queue_full",
  "storage_full",
]);

/** Whether a task goes to the other cell. A cell that has not answered may have accepted it. */
const goesOn = <T>(answer: Submitted<T>): boolean =>
  !isAnswer(answer) || (!answer.ok && REFUSED_HERE.has(answer.error.code));

/** Whether the cell has run the command. */
const isAnswer = <T>(answer: Submitted<T>): answer is Result<T, MusterError> =>
  answer !== ELSEWHERE && answer !== NOT_READY;

/** Notes that tasks go to a cell. */
function noteSent(digests: CellDigests | undefined, cell: number, sent: Submission): void {
  if (digests === undefined) return;
  const tasks = "task" in sent ? [sent.task] : sent.tasks;
  const counts = new Map<string, number>();
  for (const { kind } of tasks) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (const [kind, count] of counts) digests.sent(cell, kind, count);
}

/** Submits to one cell, whatever it thinks of others. */
export type SubmitTo<T> = (
  cell: number,
  considered: Pick<SubmitInput, "considered">,
  alternative: Alternative,
) => Promise<Submitted<T>>;

/**
 * Submits to the first cell of the choice; to the second, if the first has no room, does not know the mesh yet, or knows by now that the task
 * would begin there later than in the second; and back to the first, if the second says the same of it. By then both have said how it is now,
 * and the first takes the task.
 */
export async function submitTo<T>(
  network: Network,
  submission: Submission,
  submit: SubmitTo<T>,
): Promise<Result<T, MusterError>> {
  const choice = cellsOfSubmission(network, submission);
  const [first = 0, second] = choice;
  if (second === undefined) return submitToOnly(network, submission, first, submit);
  const demand = demandOf(submission);
  const send = (cell: number, other: number | null): Promise<Submitted<T>> => {
    const wait = other === null ? null : knownWait(network, other, demand);
    noteSent(network.digests, cell, submission);
    return submit(cell, { considered: choice }, { kind: demand.kind, wait });
  };
  const answer = await send(first, second);
  if (!goesOn(answer)) return settled(answer);
  const other = await send(second, answer === ELSEWHERE ? first : null);
  if (answer === ELSEWHERE) return settled(goesOn(other) ? await send(first, null) : other);
  // If the second one has not answered, it may have accepted the task: that the first had no room would say that nobody has.
  return settled(goesOn(other) && other !== NOT_READY ? answer : other);
}

/** Submits to the only cell that may accept the task. It may hand the task on. */
async function submitToOnly<T>(
  network: Network,
  submission: Submission,
  cell: number,
  submit: SubmitTo<T>,
): Promise<Result<T, MusterError>> {
  const { digests } = network;
  const demand = demandOf(submission);
  const { kind } = demand;
  const handing = handingOnFrom(cell, network, submission);
  if (handing === null) {
    noteSent(digests, cell, submission);
    return settled(await submit(cell, {}, { kind, wait: null }));
  }
  const { handOnTo } = handing;
  // As far as is known here: the cell decides by what it knows itself.
  const isFree = knownWait(network, cell, demand) <= 0;
  noteSent(digests, isFree ? cell : handOnTo, submission);
  return settled(await submit(cell, { considered: [cell, handOnTo] }, { kind, ...handing }));
}

/** How long a task would wait in a cell, as far as is known here. */
const knownWait = ({ digests, now }: ChoiceScope, cell: number, demand: CellDemand): number =>
  waitElsewhere(digests?.get(cell, now) ?? null, demand);

/** What a cell needs for a task, or for the first of a batch. */
function demandOf(submission: Submission): CellDemand {
  const task = "task" in submission ? submission.task : submission.tasks[0];
  return { kind: task?.kind ?? "", capabilities: task?.requirements.capabilities ?? [] };
}

/** The answer of a cell that was told of no other one. */
const settled = <T>(answer: Submitted<T>): Result<T, MusterError> =>
  isAnswer(answer) ? answer : err(UNSETTLED);

const UNSETTLED: MusterError = {
  code: "unavailable",
  detail: "no cell of the mesh has taken the task; try again",
  retryAfter: 1,
};

export const toSubmission =
  <K extends GatewayCommandName & SubmissionName>(name: K): Route<K> =>
  (network, input: Input<K>) =>
    submitTo<Output<K>>(network, input, (cell, considered, alternative) =>
      network.submit(cell, name, { ...input, ...considered }, alternative),
    );
