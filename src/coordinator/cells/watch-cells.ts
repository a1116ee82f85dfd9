import { watchedCells } from "../../cells/watched-cells.ts";
import { liveCells } from "../../cells/topology.ts";
import type { CellConditionFacts } from "../../alerts/cell-conditions.ts";
import { MINUTE, type Millis } from "../../base/clock.ts";
import type { Registry } from "../../registry/registry.ts";
import { done, type Handler } from "../kernel/handler.ts";
import type { DueScope, Job } from "../kernel/job.ts";
import { waitingLinks } from "./waiting-links.ts";

/** It is looked whether a cell answers for which a message has waited for so long. */
const LATE_AFTER: Millis = MINUTE;

type Scope = Pick<DueScope, "registry" | "config">;

/** Whether there are other cells, and alerts about them. */
function isWatching({ registry: { cells }, config: { alerts } }: Scope): boolean {
  if (cells.isSingle || (alerts.cellDown === null && alerts.cellMessages === null)) return false;
  return liveCells(cells.topology).some((cell) => cell !== cells.own);
}

/** Once a minute a cell looks whether others answer (`cell-watcher.ts`). */
export const watchCells: Job = {
  name: "watch_cells",
  run(context) {
    if (isWatching(context)) context.registry.silentCells.tick(context.now);
  },
  due: {
    reads: ["settings"],
    at: (scope) => (isWatching(scope) ? scope.registry.silentCells.due(scope.now) : null),
  },
};

/** The cells that are looked at: those that this one watches, and those that should have taken a message. */
export function cellsToWatch(
  registry: Pick<Registry, "cells" | "cellMessages">,
  isSilent: (cell: number) => boolean,
  now: Millis,
): readonly number[] {
  const { cells } = registry;
  const late = waitingLinks(registry)
    .filter(({ oldest }) => oldest !== null && oldest <= now - LATE_AFTER)
    .map(({ cell }) => cell);
  return [...new Set([...watchedCells(cells.topology, cells.own, isSilent), ...late])];
}

/** Which cells were looked at, and which of them have not answered. */
export const noteCells: Handler<"note_cells"> = ({ registry, now }, { silent }) => {
  const { silentCells, alertWatch } = registry;
  for (const cell of silentCells.all().keys()) if (!silent.includes(cell)) silentCells.remove(cell);
  for (const cell of silent) silentCells.add(cell, now);
  alertWatch.changed();
  return done;
};

const NO_CELLS: CellConditionFacts = { silent: [], links: [] };

/** What alerts about cells are about. */
export function cellFacts(registry: Registry): CellConditionFacts {
  const { cells, silentCells } = registry;
  if (cells.isSingle) return NO_CELLS;
  const since = silentCells.all();
  const watched = watchedCells(cells.topology, cells.own, (cell) => since.has(cell));
  return {
    silent: watched.flatMap((cell) => {
      const at = since.get(cell);
      return at === undefined ? [] : [{ cell, since: at }];
    }),
    links: waitingLinks(registry).flatMap(({ oldest, ...link }) =>
      oldest === null ? [] : [{ ...link, oldest, isSilent: since.has(link.cell) }],
    ),
  };
}
