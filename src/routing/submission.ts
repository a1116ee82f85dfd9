import type { Millis, Random } from "../base/clock.ts";
import type { Result } from "../base/result.ts";
import { digestOfKind, expectedWait } from "../cells/cell-digest.ts";
import { placeOfConcurrency, placeOfKey } from "../cells/placement.ts";
import { activeCells, homeOf, type Topology } from "../cells/topology.ts";
import type { GatewayCommandName, Input, Output } from "../contract/commands.ts";
import type { SubmitInput } from "../contract/tasks.ts";
import type { MusterError } from "../protocol/errors.ts";
import type { SubmitTask } from "../protocol/http.ts";
import { meets } from "../tasks/capabilities.ts";
import type { CellDigests, KnownDigest } from "./cell-digests.ts";
import type { Network, Route } from "./network.ts";

/** Tasks that are submitted: one, or a batch. */
type Submission = Pick<SubmitInput, "idempotency" | "owner"> &
  ({ readonly task: SubmitTask } | { readonly tasks: readonly SubmitTask[] });

/** What a cell needs for a task, as far as a digest can say. */
export interface CellDemand {
  readonly kind: string;
  readonly capabilities: readonly string[];
}

/** What a choice of a cell depends on. */
interface ChoiceScope {
  readonly topology: Topology;
  readonly now: Millis;
  readonly random: Random;
  readonly digests?: CellDigests | undefined;
}

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
  const { requirements, concurrency, kind } = task;
  if (requirements.peer_id !== undefined) return [homeOf(topology, requirements.peer_id)];
  if (concurrency !== undefined)
    return [homeOf(topology, placeOfConcurrency(owner, concurrency.key))];
  return betterOfTwo(scope, { kind, capabilities: requirements.capabilities });
}

/**
 * Two cells, the better one first: the power of two choices (Mitzenmacher, "The power of two choices in randomized load balancing", 2001). With
 * digests that are up to a second old, the best of all cells would get every task of that second. If the digests say that neither could take
 * the task, all digests decide.
 */
export function betterOfTwo(scope: ChoiceScope, demand: CellDemand): readonly number[] {
  const { topology, now, digests } = scope;
  const active = activeCells(topology);
  const answering = active.filter((cell) => digests?.isDown(cell, now) !== true);
  const cells = answering.length > 0 ? answering : active;
  const known = (cell: number): KnownDigest | null => digests?.get(cell, now) ?? null;
  const drawn = twoOf(cells, scope.random);
  if (drawn.some((cell) => mayTake(known(cell), demand))) return inOrder(drawn, known, demand);
  const able = cells.filter((cell) => known(cell) !== null && mayTake(known(cell), demand));
  if (able.length > 0) return inOrder(twoOf(able, scope.random), known, demand);
  const unknown = cells.filter((cell) => known(cell) === null);
  return unknown.length > 0 ? twoOf(unknown, scope.random) : inOrder(drawn, known, demand);
}

/** Whether a cell could take the task, now or later; true if nothing is known of it. */
function mayTake(known: KnownDigest | null, { kind, capabilities }: CellDemand): boolean {
  if (known === null) return true;
  const { digest } = known;
  if (digest.full || digestOfKind(digest, kind).peers === 0) return false;
  const { labels } = digest;
  return labels === null || capabilities.every((wanted) => meets(labels, wanted));
}

/** One or two different cells, drawn at random. */
function twoOf(cells: readonly number[], random: Random): readonly number[] {
  if (cells.length < 2) return cells;
  const first = Math.floor(random() * cells.length);
  const second = (first + 1 + Math.floor(random() * (cells.length - 1))) % cells.length;
  return [cells[first] as number, cells[second] as number];
}

/**
 * The better cell first. One of which nothing is known is as good as one that may take the task: its answer brings the digest. If it came after
 * those with free places, it would get no task, and stay unknown, until all others were full.
 */
function inOrder(
  cells: readonly number[],
  known: (cell: number) => KnownDigest | null,
  demand: CellDemand,
): readonly number[] {
  const [first, second] = cells;
  if (first === undefined || second === undefined) return cells;
  const waitIn = (cell: number): number | null => {
    const one = known(cell);
    if (one === null) return null;
    if (!mayTake(one, demand)) return Number.POSITIVE_INFINITY;
    return expectedWait(one.digest, demand.kind, one.added(demand.kind));
  };
  const [here, there] = [waitIn(first), waitIn(second)];
  if (here === null) return cells;
  if (there === null) return here === Number.POSITIVE_INFINITY ? [second, first] : cells;
  return there < here ? [second, first] : cells;
}

/** Refusals of a cell that say nothing about another one, and after which nothing is stored. */
const ELSEWHERE: ReadonlySet<MusterError["code"]> = new Set<MusterError["code"]>([
  "queue_full",
  "storage_full",
]);

/** Whether a task that a cell has refused goes to another one. A cell that has not answered may have accepted it. */
const mayGoElsewhere = (answer: Result<unknown, MusterError>): boolean =>
  !answer.ok && ELSEWHERE.has(answer.error.code);

/** Notes that tasks go to a cell. */
function noteSent(digests: CellDigests | undefined, cell: number, sent: Submission): void {
  if (digests === undefined) return;
  const tasks = "task" in sent ? [sent.task] : sent.tasks;
  const counts = new Map<string, number>();
  for (const { kind } of tasks) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (const [kind, count] of counts) digests.sent(cell, kind, count);
}

/** Submits to the first cell of the choice; to the second, if the first has no room. */
export async function submitTo<T>(
  network: Network,
  submission: Submission,
  submit: (
    cell: number,
    considered: Pick<SubmitInput, "considered">,
  ) => Promise<Result<T, MusterError>>,
): Promise<Result<T, MusterError>> {
  const considered = cellsOfSubmission(network, submission);
  const [first = 0, second] = considered;
  noteSent(network.digests, first, submission);
  const answer = await submit(first, second === undefined ? {} : { considered });
  if (second === undefined || !mayGoElsewhere(answer)) return answer;
  noteSent(network.digests, second, submission);
  const other = await submit(second, { considered });
  return other.ok ? other : answer;
}

type SubmissionName = "submit_task" | "enqueue_task" | "submit_batch";

export const toSubmission =
  <K extends GatewayCommandName & SubmissionName>(name: K): Route<K> =>
  (network, input: Input<K>) =>
    submitTo<Output<K>>(network, input, (cell, considered) =>
      network.ask(cell, name, { ...input, ...considered }),
    );
