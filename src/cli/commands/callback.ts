import { readArgs, type Command } from "../args.ts";
import { UsageError } from "../failure.ts";
import { print, printJson } from "../output.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";
import { showTask } from "../task-output.ts";

const usage = "callback secret | repeat TASK_ID";

/** Shows what signs callbacks, and has one delivered again. */
export const callback: Command = {
  usage,
  summary: "show the secret that signs callbacks, or have one delivered again",
  details: [
    ["secret", "print what signs the callbacks of the tasks that this token gives"],
    ["repeat TASK_ID", "deliver one again that was given up or delivered"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, TARGET_OPTIONS, { min: 1, max: 2, usage });
    const [action, id] = positionals;
    const mesh = await controllerOf(values);
    if (action === "secret" && id === undefined) {
      const secret = await mesh.callbackSecret();
      if (values.json === true) printJson({ secret });
      else print(secret);
      return 0;
    }
    if (action === "repeat" && id !== undefined) {
      showTask(await mesh.repeatCallback(id), values.json === true);
      return 0;
    }
    throw new UsageError(`"${positionals.join(" ")}" is not understood`, `usage: muster ${usage}`);
  },
};
