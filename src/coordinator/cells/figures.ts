import { secondsSince } from "../../alerts/condition-text.ts";
import type { Millis } from "../../base/clock.ts";
import { ok } from "../../base/result.ts";
import type { CellFigureCommands } from "../../contract/cell-figures.ts";
import { LEASE_STATES } from "../../metrics/task-families.ts";
import type { CellFigures } from "../../protocol/http.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Context } from "../kernel/context.ts";
import type { Domain } from "../kernel/domain.ts";
import type { Handler } from "../kernel/handler.ts";
import { isDraining, movingCounts } from "./draining.ts";
import { waitingLinks } from "./waiting-links.ts";
import { budgetsOf } from "../storage/budgets.ts";

const listCells: Handler<"list_cells"> = (context) => {
  const { own, topology } = context.registry.cells;
  const state = topology.cells[own] ?? "removed";
  const figures = figuresOf(context);
  return ok({
    wanted: context.config.cells,
    topology_version: topology.version,
    changing: false,
    cells: [{ cell: own, state, answers: true, figures }],
  });
};

function figuresOf({ registry, config, now }: Context): CellFigures {
  const { cells, peers, roster, tasks } = registry;
  const waiting = waitingMessages(registry, now);
  return {
    topology_version: cells.topology.version,
    peers: { connected: roster.size, known: peers.count() },
    tasks: {
      waiting: tasks.waiting.length,
      running: LEASE_STATES.reduce((sum, state) => sum + tasks.running.ofLease(state), 0),
    },
    database: {
      used_bytes: registry.size(),
      limit_bytes: budgetsOf(config.storage.limit).limit,
    },
    messages: waiting.reduce((sum, { messages }) => sum + messages, 0),
    ...(waiting.length > 0 && { waiting }),
    ...(isDraining(registry) && { left: leftIn(registry) }),
    moving: movingTo(registry),
  };
}

const waitingMessages = (registry: Registry, now: Millis) =>
  waitingLinks(registry).map(({ oldest, ...link }) => ({
    ...link,
    oldest_wait_seconds: oldest === null ? 0 : secondsSince(oldest, now),
  }));

function leftIn(registry: Registry): CellFigures["left"] {
  const { openTasks, endedTasks, ...left } = registry.leftInCell();
  return { ...left, open_tasks: openTasks, ended_tasks: endedTasks };
}

/** What a change of the number of cells still has to move to this cell. */
function movingTo(registry: Registry): CellFigures["moving"] {
  const counts = movingCounts(registry);
  return { cells: counts.length, peers: counts.reduce((sum, { left }) => sum + (left ?? 0), 0) };
}

const checkReady: Handler<"check_ready"> = () => ok({});

export const cellFigures: Domain<CellFigureCommands> = {
  handlers: { list_cells: listCells, check_ready: checkReady },
  audit: {},
  jobs: [],
};
