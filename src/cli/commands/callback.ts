import { readArgs, type Command } from "../args.ts";
import { UsageError } from "../failure.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";
import { showTask } from "../task-output.ts";

const usage = "callback secret | repeat TASK_ID";

/** Prints the secret that signs callbacks, and repeats a callback. */
export const callback: Command = {
  usage,
  summary: "print the secret that signs callbacks, or repeat a callback",
  details: [
    ["secret", "print the secret that signs the callbacks of this token's tasks"],
    ["repeat TASK_ID", "send the callback of a task again, whether it was delivered or failed"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, TARGET_OPTIONS, { min: 1, max: 2, usage });
    const [action, id] = positionals;
    const mesh = await controllerOf(values);
    if (action === "secret" && id === undefined) {
      const secret = await mesh.tasks.callbackSecret();
      if (values.json === true) printJson({ secret });
      else print(secret);
      return 0;
    }
    if (action === "repeat" && id !== undefined) {
      showTask(await mesh.tasks.repeatCallback(id), values.json === true);
      return 0;
    }
    throw new UsageError(
      `unexpected arguments "${positionals.join(" ")}"`,
      `usage: muster ${usage}`,
    );
  },
};
