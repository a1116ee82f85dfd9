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
 * is known of cells is old by some time, in which the best of all cells would get every task of all callers. If the digests say that neither
 * could take the task, all digests decide.
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
  const { full, labels } = known.digest;
  if (full || known.peersOf(kind) === 0) return false;
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
 * The better cell first. A cell of which nothing is known is as good as one that may take the task, because its answer brings the digest. If it
 * came after the cells with free slots, it would get no task, and stay unknown, until all others were full.
 */
function inOrder(
  cells: readonly number[],
  known: (cell: number) => KnownDigest | null,
  demand: CellDemand,
): readonly number[] {
  const [first, second] = cells;
  if (first === undefined || second === undefined) return cells;
  const here = waitIn(known(first), demand);
  const there = waitIn(known(second), demand);
  if (here === null) return cells;
  const isSecondBetter = there === null ? here === Number.POSITIVE_INFINITY : there < here;
  return isSecondBetter ? [second, first] : cells;
}

/** How long a task is assumed to wait in a cell of which nothing is known: a task that waits for longer moves to another cell (`coordinator/moves`). */
const UNKNOWN_WAIT: Millis = 250;

/** How long a task would wait in the second cell, as the first is told. */
export const waitElsewhere = (known: KnownDigest | null, demand: CellDemand): Millis =>
  waitIn(known, demand) ?? UNKNOWN_WAIT;

/** How long a task waits in a cell: infinitely, if it can't be taken there; null: nothing is known. */
function waitIn(known: KnownDigest | null, demand: CellDemand): number | null {
  if (known === null) return null;
  return mayTake(known, demand) ? known.waitOf(demand.kind) : Number.POSITIVE_INFINITY;
}
