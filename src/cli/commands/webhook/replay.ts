import { action } from "../../actions.ts";
import { print, printJson } from "../../output.ts";
import { controllerOf } from "../../target.ts";

/** Processes a recorded delivery again. */
export const replay = action({
  usage: "replay NAME DELIVERY [--new-task]",
  summary: "process a delivery again, with the current settings of the source",
  details: [["--new-task", "create another task if the delivery created one already"]],
  options: { "new-task": { type: "boolean" } },
  arguments: ["NAME", "DELIVERY"],
  run: async (values, [name = "", delivery = ""]) => {
    const newTask = values["new-task"] === true;
    const replayed = await (
      await controllerOf(values)
    ).webhooks.replay(name, delivery, { newTask });
    if (values.json === true) printJson(replayed);
    else if (replayed.task_id === null) print(`filtered: ${replayed.filtered ?? ""}`);
    else print(`${replayed.duplicate ? "already created" : "created"} task ${replayed.task_id}`);
    return 0;
  },
});
