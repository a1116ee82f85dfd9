import { CANCELLABLE_STATES } from "../../../protocol/http.ts";
import { action } from "../../actions.ts";
import { controllerOf } from "../../target.ts";
import { actOnSelection, readSelection, SELECTION_OPTIONS, selectionDetails } from "./selection.ts";

const usage = "cancel ID... | --state STATE | --kind KIND | ... [--dry-run | --yes]";

/** Cancels many tasks. */
export const cancel = action({
  usage,
  summary: "cancel the tasks that are named, or that meet all conditions",
  details: selectionDetails(CANCELLABLE_STATES, "all of these"),
  options: SELECTION_OPTIONS,
  arguments: ["[ID...]"],
  run: async (values, positionals) => {
    const selection = readSelection(positionals, values, CANCELLABLE_STATES, usage);
    const mesh = await controllerOf(values);
    const run = mesh.tasks.cancelMany.bind(mesh.tasks, selection);
    return actOnSelection({ verb: "cancel", past: "cancelled", run }, values);
  },
});
