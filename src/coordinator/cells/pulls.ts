import { activeCells, liveCells, type Topology } from "../../cells/topology.ts";
import type { Context } from "../kernel/context.ts";
import type { Job } from "../kernel/job.ts";
import { addToOutbox } from "../kernel/marks.ts";

/** The cells that may have peers which belong to another one now: those that had peers before a change, as far as they are not removed. */
function formerCells(topology: Topology): readonly number[] {
  const live = new Set(liveCells(topology));
  const former = topology.earlier.flatMap(({ active }) => active);
  return [...new Set(former)].filter((cell) => live.has(cell)).toSorted((a, b) => a - b);
}

/** The cells have changed: this one fetches the peers that belong to it now. */
export function startPulls(context: Context): void {
  const { cells, peerMoves, outbox } = context.registry;
  const { own, topology } = cells;
  const isActive = activeCells(topology).includes(own);
  const isFrom = (cell: number) => cell !== own || peerMoves.countDeparted() > 0;
  const former = isActive ? formerCells(topology).filter(isFrom) : [];
  for (const cell of former) startPull(context, cell);
  for (const { cell } of peerMoves.pulls())
    if (!former.includes(cell)) outbox.remove({ kind: "pull_peers", cell });
}

/** After a restore the outbox is empty: what was to be fetched is fetched from the beginning. */
export const resumePulls: Job = {
  name: "resume_pulls",
  run(context) {
    const { registry } = context;
    if (registry.cells.isSingle) return;
    for (const { cell, version, isDone } of registry.peerMoves.pulls()) {
      const isCurrent = version === registry.cells.topology.version && !isDone;
      if (isCurrent && registry.outbox.dueAt({ kind: "pull_peers", cell }) === null)
        startPull(context, cell);
    }
  },
};

/** Fetches the peers of a cell that belong here, from the beginning. */
export function startPull(context: Context, cell: number): void {
  const { cells, peerMoves } = context.registry;
  const { version } = cells.topology;
  const leftBefore = peerMoves.pull(cell)?.leftBefore ?? null;
  peerMoves.setPull({ cell, version, after: null, left: 0, isDone: false, leftBefore });
  addToOutbox(context, { kind: "pull_peers", cell });
}
