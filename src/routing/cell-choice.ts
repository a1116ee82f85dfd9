import type { Millis, Random } from "../base/clock.ts";
import { activeCells, type Topology } from "../cells/topology.ts";
import { meets } from "../tasks/capabilities.ts";
import type { CellDigests, KnownDigest } from "./cell-digests.ts";

/** What a cell needs for a task, as far as a digest can say. */
export interface CellDemand {
  readonly kind: string;
  readonly capabilities: readonly string[];
}

/** What a choice of a cell depends on. */
export interface ChoiceScope {
  readonly topology: Topology;
  readonly now: Millis;
  readonly random: Random;
  readonly digests?: CellDigests | undefined;
}

/**
 * Two cells, the better one first: the power of two choices (Mitzenmacher, "The power of two choices in randomized load balancing", 2001). What
 * is known of cells is old by some time, in which the best of all cells would get every task of all callers. They are drawn from the cells
 * that could take the task, if there are any, each as often as it has slots for the kind: few cells may have nearly all peers of a rare kind,
 * and one whose peers rest because they fail has few.
 *
 * @param except a cell that is not drawn
 */
export function betterOfTwo(
  scope: ChoiceScope,
  demand: CellDemand,
  except: number | null = null,
): readonly number[] {
  const { topology, now, digests } = scope;
  const active = activeCells(topology).filter((cell) => cell !== except);
  const answering = active.filter((cell) => digests?.isDown(cell, now) !== true);
  const cells = (answering.length > 0 ? answering : active).map((cell): CellAsKnown => {
    const known = digests?.get(cell, now) ?? null;
    if (known === null) return { cell, slots: null, wait: null };
    return { cell, slots: known.loadOf(demand.kind).slots, wait: waitIn(known, demand) };
  });
  const able = cells.filter(({ wait }) => wait !== NEVER);
  const pair = twoOf(able.length > 0 ? able : cells, scope.random);
  return inOrder(pair).map(({ cell }) => cell);
}

/** What a caller knows of a cell about a task; null: nothing, the cell is unknown. */
interface CellAsKnown {
  readonly cell: number;
  /** Slots for the kind of the task. */
  readonly slots: number | null;
  readonly wait: number | null;
}

/** One or two different cells, drawn at random, each as often as it has slots. An unknown cell has the mean of the others. */
function twoOf(cells: readonly CellAsKnown[], random: Random): readonly CellAsKnown[] {
  if (cells.length < 2) return cells;
  const known = cells.flatMap(({ slots }) => slots ?? []);
  const mean = known.reduce((sum, slots) => sum + slots, 0) / Math.max(1, known.length);
  const weights = cells.map(({ slots }) => Math.max(1, slots ?? mean));
  const first = drawn(weights, random);
  weights[first] = 0;
  return [cells[first] as CellAsKnown, cells[drawn(weights, random)] as CellAsKnown];
}

/** A position, drawn at random, each as often as its weight. */
function drawn(weights: readonly number[], random: Random): number {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  const at = weights.findIndex((weight) => (left -= weight) < 0);
  // Rounding may leave nothing behind the last one that counts.
  return at >= 0 ? at : weights.findLastIndex((weight) => weight > 0);
}

/**
 * The better cell first. An unknown cell is better than one without a free slot, and as good as one with free slots: its answer brings its
 * digest. If it came after those, it would get no task, and stay unknown, until all others were full.
 */
function inOrder(cells: readonly CellAsKnown[]): readonly CellAsKnown[] {
  const [first, second] = cells;
  if (first === undefined || second === undefined || first.wait === null) return cells;
  const isSecondBetter = second.wait === null ? first.wait > AT_ONCE : second.wait < first.wait;
  return isSecondBetter ? [second, first] : cells;
}

/** A wait of a task that begins at once. */
const AT_ONCE: Millis = 0;
/** A wait in a cell that can't take the task. */
const NEVER = Number.POSITIVE_INFINITY;

/** How long a task would wait in the second cell, as the first is told: not at all, if the second is unknown. Then its answer says more. */
export const waitElsewhere = (known: KnownDigest | null, demand: CellDemand): Millis =>
  known === null ? AT_ONCE : waitIn(known, demand);

/** How long a task waits in a cell, as far as its digest says; below 0 if a slot is free. */
const waitIn = (known: KnownDigest, demand: CellDemand): number =>
  mayTake(known, demand) ? known.waitOf(demand.kind) : NEVER;

/** Whether a cell could take the task, now or later. */
function mayTake({ digest, loadOf }: KnownDigest, { kind, capabilities }: CellDemand): boolean {
  const { full, labels } = digest;
  if (full || loadOf(kind).peers === 0) return false;
  return labels === null || capabilities.every((wanted) => meets(labels, wanted));
}
