import { err } from "../../base/result.ts";
import { askHolder } from "../moves/forwarded.ts";
import { formerCellsOf } from "../moves/owners.ts";
import { assignerScope } from "../tasks/assigner-scope.ts";
import { isSameRequest, MISMATCH } from "../tasks/submit.ts";
import type { Before } from "./cell-calls.ts";

/**
 * The work before a peer submits a task under an idempotency key, if the peer belonged to other cells: one of them may have accepted a
 * task under the key. They are asked, and the task is shown as its cell has it (CE106).
 */
export const beforeOwnSubmission: Before<"assign_task"> = (calls, { peerId, key, task }) => {
  const { registry, self } = calls;
  const { topology } = registry.cells;
  const now = calls.now();
  if (key === null) return null;
  const former = formerCellsOf({ registry, now }, peerId);
  const scope = assignerScope(peerId);
  if (former.length === 0 || registry.idempotency.get(scope, key, now) !== null) return null;
  return async () => {
    // The command itself says why a peer may not submit.
    if (registry.peers.get(peerId)?.mayAssign !== true) return null;
    for (const cell of former) {
      const made = await calls.ask(cell, self, "find_submission", {
        topology,
        scope,
        key,
        isBatch: false,
      });
      if (!made.ok) return made;
      const { found } = made.value;
      if (found === null) continue;
      if (!isSameRequest({ task }, found.requestHash)) return err(MISMATCH);
      const asked = { act: "show", id: found.taskId, owner: peerId, options: {} } as const;
      return askHolder(calls, found.taskId, (holder) => calls.ask(holder, self, "own_task", asked));
    }
    return null;
  };
};
