import { ok } from "../../base/result.ts";
import { areAsWanted, liveCells, withCells, type Topology } from "../../cells/topology.ts";
import { IDEMPOTENCY_RETENTION } from "../../protocol/constants.ts";
import { announceDials } from "../dialing/dialed-elsewhere.ts";
import type { Context } from "../kernel/context.ts";
import { done, type Handler } from "../kernel/handler.ts";
import { startPulls } from "./pulls.ts";
import { markWorkAvailable } from "../kernel/marks.ts";
import { sendToCell } from "./send-message.ts";

/**
 * In cell 0: the number of cells that the operator wants becomes the topology, and the others learn it. Runs before the commands of a
 * group. In a mesh that has one cell and always had, this compares two numbers.
 *
 * @param isNew whether the group tells this cell that it is another one than cell 0, for which a new database takes itself
 */
export function adoptConfiguredCells(context: Context, isNew = false): void {
  const { registry, config, now } = context;
  const { own, topology } = registry.cells;
  if (own !== 0 || isNew || areAsWanted(topology, config.cells)) return;
  const next = withCells(topology, config.cells, now, IDEMPOTENCY_RETENTION);
  if (next !== topology) announce(context, next);
}

/** In cell 0: a new topology, which the other cells learn. */
export function announce(context: Context, topology: Topology): void {
  context.registry.cells.set(0, topology);
  for (const cell of liveCells(topology))
    if (cell !== 0) sendToCell(context, cell, { type: "topology", topology });
  startPulls(context);
  if (context.registry.dials.count() > 0) announceDials(context);
}

/** The cell learns a topology, unless it knows a newer one. */
export function learn(context: Context, topology: Topology): void {
  const { own, topology: known } = context.registry.cells;
  if (topology.version <= known.version) return;
  context.registry.cells.set(own, topology);
  if (known.cells[own] !== "active" && topology.cells[own] === "active") rejoin(context);
  startPulls(context);
  // The shares of limits are other ones.
  markWorkAvailable(context);
}

/** The cell may have been removed in between: then nobody told it of changes, and nobody waited for it to take a right away. */
function rejoin(context: Context): void {
  context.registry.facts.forgetAll(0);
  keepEvents(context);
}

/** Who follows the mesh follows this cell only once it has noticed that there is one: until then the cell keeps its events. */
const keepEvents = ({ registry, now }: Context): void => registry.events.follow(now);

export const getTopology: Handler<"get_topology"> = ({ registry }) =>
  ok({ topology: registry.cells.topology });

export const learnTopology: Handler<"learn_topology"> = (context, { own, topology }) => {
  const { cells } = context.registry;
  if (cells.own === own) learn(context, topology);
  else {
    cells.set(own, topology);
    keepEvents(context);
    startPulls(context);
  }
  return done;
};
