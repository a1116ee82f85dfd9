import { liveCells } from "../../cells/topology.ts";
import { nextNumber } from "../../registry/after-restore.ts";
import type { NotedFacts } from "../../registry/facts.ts";
import type { Context } from "../kernel/context.ts";
import type { Effect } from "../kernel/effects.ts";
import { sendToCell } from "./send-message.ts";

/** A command of the group: what it has changed, null if it was refused, and its effects. */
interface Changing {
  readonly facts: NotedFacts | null;
  readonly effects: Effect[];
  /** Whether its caller can wait: no cell waits for one that may be waiting for it, and no session waits for other cells. */
  readonly mayWait: boolean;
}

/**
 * In cell 0, after the commands of a group: sends what they have changed in the facts of the mesh to the other cells, in one message to
 * each. The callers of the commands wait for it: until it is confirmed, if a right was taken away; else for a moment, so that what they do
 * next finds the change everywhere.
 */
export function sendFacts(context: Context, commands: readonly Changing[]): void {
  const { facts, cells, settings } = context.registry;
  const changes = commands.flatMap((command) => command.facts?.changes ?? []);
  if (changes.length === 0) return;
  const after = facts.version ?? 0;
  const version = nextNumber(after, settings.restoredAt);
  facts.setVersion(version);
  for (const cell of liveCells(cells.topology)) {
    if (cell === 0) continue;
    const seq = sendToCell(context, cell, { type: "facts", after, version, changes });
    for (const { facts: noted, effects, mayWait } of commands)
      if (mayWait && noted !== null && noted.changes.length > 0)
        effects.push({ type: "await_cell", cell, seq, isRequired: noted.isTightened });
  }
}
