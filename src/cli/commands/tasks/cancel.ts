import { CANCELLABLE_STATES } from "../../../protocol/http.ts";
import { readArgs, type Command } from "../../args.ts";
import { controllerOf } from "../../target.ts";
import { actOnSelection, readSelection, SELECTION_OPTIONS, selectionDetails } from "./selection.ts";

const usage = "tasks cancel ID... | --state STATE | --kind KIND | ... [--dry-run | --yes]";

/** Cancels many tasks. */
export const cancel: Command = {
  usage,
  summary: "cancel the tasks that are named, or that meet all conditions",
  details: selectionDetails(CANCELLABLE_STATES, "all of these"),
  run: async (argv) => {
    const limits = { min: 0, max: Number.POSITIVE_INFINITY, usage };
    const { values, positionals } = readArgs(argv, SELECTION_OPTIONS, limits);
    const selection = readSelection(positionals, values, CANCELLABLE_STATES, usage);
    const mesh = await controllerOf(values);
    const run = mesh.tasks.cancelMany.bind(mesh.tasks, selection);
    return actOnSelection({ verb: "cancel", past: "cancelled", run }, values);
  },
};
