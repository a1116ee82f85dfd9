import { RETRYABLE_STATES } from "../../../protocol/http.ts";
import { action } from "../../actions.ts";
import { readRetryOptions } from "../../retry-options.ts";
import { controllerOf } from "../../target.ts";
import { actOnSelection, readSelection, SELECTION_OPTIONS, selectionDetails } from "./selection.ts";

const usage = "retry ID... | --state STATE | --kind KIND | ... [--dry-run | --yes]";

const OPTIONS = {
  ...SELECTION_OPTIONS,
  "max-attempts": { type: "string" },
  deadline: { type: "string" },
} as const;

/** Puts many tasks back into the queue. */
export const retry = action({
  usage,
  summary: "put the tasks that are named, or that meet all conditions, back into the queue",
  details: [
    ...selectionDetails(RETRYABLE_STATES, "failed and expired"),
    ["--max-attempts N", "the attempts from now on; default: as many as before"],
    ["--deadline SECONDS", "the time until a task expires; default: as long as before"],
  ],
  options: OPTIONS,
  arguments: ["[ID...]"],
  run: async (values, positionals) => {
    const selection = readSelection(positionals, values, RETRYABLE_STATES, usage);
    const retryOptions = readRetryOptions(values);
    const mesh = await controllerOf(values);
    return actOnSelection(
      {
        verb: "retry",
        past: "retried",
        run: (options) => mesh.tasks.retryMany(selection, { ...options, ...retryOptions }),
      },
      values,
    );
  },
});
