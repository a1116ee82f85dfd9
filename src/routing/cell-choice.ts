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
 */
export function betterOfTwo(scope: ChoiceScope, demand: CellDemand): readonly number[] {
  const { topology, now, digests } = scope;
  const active = activeCells(topology);
  const answering = active.filter((cell) => digests?.isDown(cell, now) !== true);
  const cells = (answering.length > 0 ? answering : active).map((cell): KnownCell => ({
    cell,
    known: digests?.get(cell, now) ?? null,
  }));
  const able = cells.filter(({ known }) => mayTake(known, demand));
  const pair = twoOf(able.length > 0 ? able : cells, demand, scope.random);
  return inOrder(pair, demand).map(({ cell }) => cell);
}

interface KnownCell {
  readonly cell: number;
  /** Null: nothing. */
  readonly known: KnownDigest | null;
}

/** Whether a cell could take the task, now or later; true if nothing is known of it. */
function mayTake(known: KnownDigest | null, { kind, capabilities }: CellDemand): boolean {
  if (known === null) return true;
  const { full, labels } = known.digest;
  if (full || known.loadOf(kind).peers === 0) return false;
  return labels === null || capabilities.every((wanted) => meets(labels, wanted));
}

/** One or two different cells, drawn at random, each as often as it has slots for the kind. One of which nothing is known counts as the mean. */
function twoOf(
  cells: readonly KnownCell[],
  { kind }: CellDemand,
  random: Random,
): readonly KnownCell[] {
  if (cells.length < 2) return cells;
  const slots = cells.map(({ known }) => (known === null ? null : known.loadOf(kind).slots));
  const ofKnown = slots.filter((one) => one !== null);
  const mean = ofKnown.reduce((sum, one) => sum + one, 0) / Math.max(1, ofKnown.length);
  const weights = slots.map((one) => Math.max(1, one ?? mean));
  const first = drawn(weights, random);
  weights[first] = 0;
  return [cells[first] as KnownCell, cells[drawn(weights, random)] as KnownCell];
}

/** A position, drawn at random, each as often as its weight. */
function drawn(weights: readonly number[], random: Random): number {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  const at = weights.findIndex((weight) => (left -= weight) < 0);
  // Rounding may leave nothing behind the last one that counts.
  return at >= 0 ? at : weights.findLastIndex((weight) => weight > 0);
}

/**
 * The better cell first. One of which nothing is known is better than one without a free slot, and as good as one with free slots: its answer
 * brings the digest. If it came after those, it would get no task, and stay unknown, until all others were full.
 */
function inOrder(cells: readonly KnownCell[], demand: CellDemand): readonly KnownCell[] {
  const [first, second] = cells;
  if (first === undefined || second === undefined) return cells;
  const here = waitIn(first.known, demand);
  const there = waitIn(second.known, demand);
  if (here === null) return cells;
  const isSecondBetter = there === null ? here > AT_ONCE : there < here;
  return isSecondBetter ? [second, first] : cells;
}

/** A wait of a task that begins at once. */
const AT_ONCE: Millis = 0;

/** How long a task would wait in the second cell, as the first is told: not at all, if nothing is known. Then its answer says more. */
export const waitElsewhere = (known: KnownDigest | null, demand: CellDemand): Millis =>
  waitIn(known, demand) ?? AT_ONCE;

/** How long a task waits in a cell: infinitely, if it can't be taken there; null: nothing is known. */
function waitIn(known: KnownDigest | null, demand: CellDemand): number | null {
  if (known === null) return null;
  return mayTake(known, demand) ? known.waitOf(demand.kind) : Number.POSITIVE_INFINITY;
}
