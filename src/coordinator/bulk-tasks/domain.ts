import type { JsonObject } from "../../base/json.ts";
import type { BulkTaskCommands } from "../../contract/bulk-tasks.ts";
import type { Input } from "../../contract/commands.ts";
import type { BulkView } from "../../protocol/http.ts";
import type { Domain } from "../kernel/domain.ts";
import { cancelTasks, previewTasks, retryTasks } from "./acts.ts";
import { listFailures } from "./failures.ts";

export const bulkTasks: Domain<BulkTaskCommands> = {
  handlers: {
    cancel_tasks: cancelTasks,
    retry_tasks: retryTasks,
    preview_tasks: previewTasks,
    list_failures: listFailures,
  },
  audit: {
    cancel_tasks: (input, output) => describeAct(input, output),
    retry_tasks: (input, output) => describeAct(input, output),
  },
  jobs: [],
};

/** One entry for each piece that changed something. */
function describeAct(
  { filter, ids }: Input<"cancel_tasks"> | Input<"retry_tasks">,
  output: BulkView | null,
): { subject: string; detail: JsonObject } | null {
  if (output === null || output.count === 0) return null;
  const selection: JsonObject =
    filter === undefined ? { named: ids?.length ?? 0 } : { filter: { ...filter } };
  return {
    subject: "tasks",
    detail: { count: output.count, first: output.task_ids[0] ?? "", ...selection },
  };
}
