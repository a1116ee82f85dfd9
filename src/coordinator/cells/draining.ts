import { MINUTE, type Millis } from "../../base/clock.ts";
import { withoutCell } from "../../cells/topology.ts";
import { IDEMPOTENCY_RETENTION } from "../../protocol/constants.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Context } from "../kernel/context.ts";
import type { Job } from "../kernel/job.ts";
import { sendToCell } from "./send-message.ts";
import { announce } from "./topology.ts";

/** How often a draining cell looks whether it has anything left. */
const LOOK_EVERY: Millis = 5 * MINUTE;

/** Whether the operator has lowered the number of cells, so that this one gets nothing new and gives away what it has. */
export function isDraining({ cells }: Pick<Registry, "cells">): boolean {
  const { own, topology } = cells;
  return topology.cells[own] === "draining";
}

/** A draining cell that has nothing left says so to cell 0, which removes it (CE108). */
export const reportDrained: Job = {
  name: "report_drained",
  run(context) {
    const { registry } = context;
    if (!isDraining(registry)) return;
    const { audit, ...left } = registry.leftInCell();
    if (audit > 0) sendAudit(context);
    if (audit + Object.values(left).reduce((sum, rows) => sum + rows, 0) > 0) return;
    sendToCell(context, 0, { type: "drained", version: registry.cells.topology.version });
  },
  due: {
    reads: ["settings"],
    at: ({ registry, now }) => (isDraining(registry) ? now + LOOK_EVERY : null),
  },
};

/** Entries in one message, and messages at one look: an entry has some hundred bytes. */
const AUDIT_ENTRIES = 500;
const AUDIT_MESSAGES = 20;

/** Gives the audit log to cell 0: it is kept for longer than everything else, and nobody asks a removed cell. */
function sendAudit(context: Context): void {
  for (let sent = 0; sent < AUDIT_MESSAGES; sent++) {
    const entries = context.registry.audit.takeOldest(AUDIT_ENTRIES);
    if (entries.length === 0) return;
    sendToCell(context, 0, { type: "audit", entries });
  }
}

/** In cell 0: a cell that drains has nothing left. If the topology has changed since, the cell looks again. */
export function takeDrained(context: Context, cell: number, version: number): void {
  const { own, topology } = context.registry.cells;
  if (own !== 0 || topology.version !== version) return;
  const next = withoutCell(topology, cell, context.now, IDEMPOTENCY_RETENTION);
  if (next === topology) return;
  announce(context, next);
  sendToCell(context, cell, { type: "topology", topology: next });
}

/** Peers of other cells that belong to this one and have not moved yet: of each cell how many were left when all were last looked at. */
export const movingCounts = ({
  peerMoves,
  cells,
}: Pick<Registry, "peerMoves" | "cells">): readonly MovingCount[] =>
  peerMoves
    .pulls()
    .filter(({ version, isDone }) => version === cells.topology.version && !isDone)
    .map(({ cell, leftBefore }) => ({ from: cell, left: leftBefore }));

interface MovingCount {
  readonly from: number;
  /** Null until all were looked at once. */
  readonly left: number | null;
}
