import type { Millis } from "../base/clock.ts";
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
  { view, until }: { readonly view: BulkView; readonly until: Millis },
): Promise<BulkView> {
  const unknown = view.skipped.filter(({ code }) => code === "not_found");
  const codes = await codesOf(network, name, input, { ids: unknown.map(({ id }) => id), until });
  const changed: string[] = [];
  const skipped: Skipped[] = view.skipped.filter(({ code }) => code !== "not_found");
  for (const { id } of unknown) {
    const code = codes.get(id);
    if (code === null) changed.push(id);
    else skipped.push({ id, code: code ?? "unavailable" });
  }
  return {
    ...view,
    count: view.count + changed.length,
    task_ids: [...view.task_ids, ...changed].slice(0, BULK_IDS_SHOWN),
    skipped,
  };
}

/**
 * Acts on single tasks, as many as there is time for, in random order: a caller that repeats the act for the others must not meet the same cells
 * that do not answer again. For each task that was asked for: why the act does not concern it; null if it is done.
 */
async function codesOf<K extends BulkName>(
  network: Network,
  name: K,
  input: Input<K>,
  { ids, until }: { readonly ids: readonly string[]; readonly until: Millis },
): Promise<ReadonlyMap<string, ErrorCode | null>> {
  const codes = new Map<string, ErrorCode | null>();
  const left = [...ids];
  for (let round = 0; left.length > 0 && (round === 0 || network.now < until); round++) {
    const some = Array.from({ length: Math.min(AT_ONCE, left.length) }, () => {
      const at = Math.floor(network.random() * left.length);
      return left.splice(at, 1)[0] as string;
    });
    const answers = some.map(async (id) => [id, await actOnOne(network, name, input, id)] as const);
    for (const [id, code] of await Promise.all(answers)) codes.set(id, code);
  }
  return codes;
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
