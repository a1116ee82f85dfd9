import { withActions } from "../actions.ts";
import { cancel } from "./tasks/cancel.ts";
import { failures } from "./tasks/failures.ts";
import { list } from "./tasks/list.ts";
import { retry } from "./tasks/retry.ts";
import { stats } from "./tasks/stats.ts";
import { submit } from "./tasks/submit.ts";

/** Lists tasks and acts on many of them at once: one action per file in `tasks/`. Without an action it lists them. */
export const tasks = withActions("tasks", {
  summary: "list tasks and the reasons of failures; submit, cancel or retry many tasks",
  examples: [
    "tasks --state failed --limit 10",
    "tasks submit tasks.jsonl --wait --json",
    "tasks retry --kind resize --error 'disk full' --dry-run",
  ],
  actions: { list, submit, stats, failures, cancel, retry },
  otherwise: list,
});
