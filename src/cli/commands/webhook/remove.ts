import { action } from "../../actions.ts";
import { print, printJson } from "../../output.ts";
import { controllerOf } from "../../target.ts";

/** Removes a webhook source. */
export const remove = action({
  usage: "delete NAME [--keep-tasks]",
  summary: "remove a source: later deliveries are refused, and its tasks are cancelled",
  details: [["--keep-tasks", "leave the tasks that it created"]],
  options: { "keep-tasks": { type: "boolean" } },
  arguments: ["NAME"],
  run: async (values, [name = ""]) => {
    const keepTasks = values["keep-tasks"] === true;
    await (await controllerOf(values)).webhooks.remove(name, { keepTasks });
    if (values.json === true) printJson({ name, removed: true, keep_tasks: keepTasks });
    else print(`the webhook source ${name} is removed`);
    return 0;
  },
});
