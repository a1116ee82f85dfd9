import type { Input } from "../contract/commands.ts";
import { knownCellOfTask } from "../cells/task-cell.ts";
import type { BulkView, TaskView } from "../protocol/http.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { BULK_IDS_SHOWN } from "../protocol/task-limits.ts";
import type { Network } from "./network.ts";

/** The acts on many tasks. */
export type BulkName = "cancel_tasks" | "retry_tasks" | "preview_tasks";

/** Tasks that are asked for at once. */
const AT_ONCE = 16;

type Skipped = BulkView["skipped"][number];

/**
 * What a cell has done with named tasks, and what others do with those of them that have moved to them. The cell does not know these; asked
 * for a single one, it asks the cell that has it.
 */
export async function findMoved<K extends BulkName>(
  network: Network,
  name: K,
  input: Input<K>,
  view: BulkView,
): Promise<BulkView> {
  const unknown = view.skipped.filter(({ code }) => code === "not_found");
  const changed: string[] = [];
  const skipped: Skipped[] = view.skipped.filter(({ code }) => code !== "not_found");
  for (let at = 0; at < unknown.length; at += AT_ONCE) {
    const some = unknown.slice(at, at + AT_ONCE);
    const codes = await Promise.all(some.map(({ id }) => actOnOne(network, name, input, id)));
    for (const [index, { id }] of some.entries()) {
      const code = codes[index] ?? null;
      if (code === null) changed.push(id);
      else skipped.push({ id, code });
    }
  }
  return {
    ...view,
    count: view.count + changed.length,
    task_ids: [...view.task_ids, ...changed].slice(0, BULK_IDS_SHOWN),
    skipped,
  };
}

/** Why the act does not concern a task; null once it is done. */
async function actOnOne<K extends BulkName>(
  network: Network,
  name: K,
  input: Input<K>,
  id: string,
): Promise<ErrorCode | null> {
  const { visibleTo } = input;
  const cell = knownCellOfTask(network.topology, id);
  const found = await network.ask(cell, "get_task", { id, visibleTo });
  if (!found.ok) return found.error.code;
  const act = "act" in input ? input.act : name === "cancel_tasks" ? "cancel" : "retry";
  const reason = reasonToSkip(act, found.value);
  if (reason !== null || name === "preview_tasks") return reason;
  const { max_attempts: maxAttempts, deadline_seconds: deadline } = input as Input<"retry_tasks">;
  const done =
    act === "cancel"
      ? await network.ask(cell, "cancel_task", { id, visibleTo })
      : await network.ask(cell, "retry_task", {
          id,
          visibleTo,
          ...(maxAttempts !== undefined && { max_attempts: maxAttempts }),
          ...(deadline !== undefined && { deadline_seconds: deadline }),
        });
  return done.ok ? null : done.error.code;
}

/** As the bulk acts of a cell have it. */
function reasonToSkip(
  act: "cancel" | "retry",
  { state, ended_at: end }: TaskView,
): ErrorCode | null {
  if (state === "succeeded") return "task_ended";
  if (act === "cancel") return end === null ? null : "task_ended";
  return end === null ? "conflict" : null;
}
