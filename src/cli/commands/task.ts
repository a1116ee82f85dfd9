import { WaitTimeout, type Task } from "../../client/index.ts";
import { numberOption, readArgs, type Command } from "../args.ts";
import { controllerOf, TARGET_DETAILS, TARGET_OPTIONS } from "../target.ts";
import { showTask } from "../task-output.ts";

const usage = "task ID [--wait SECONDS] [--cancel]";

/** Shows one task. */
export const task: Command = {
  usage,
  summary: "show a task: its state, its attempts and its result",
  details: [
    ["--wait SECONDS", "first wait that long for its end"],
    ["--cancel", "cancel it"],
    ...TARGET_DETAILS,
  ],
  run: async (argv) => {
    const options = {
      ...TARGET_OPTIONS,
      wait: { type: "string" },
      cancel: { type: "boolean" },
    } as const;
    const { values, positionals } = readArgs(argv, options, { min: 1, max: 1, usage });
    const id = String(positionals[0]);
    const wait = numberOption("wait", values.wait);
    const mesh = await controllerOf(values);
    const json = values.json === true;
    if (values.cancel === true) {
      showTask(await mesh.cancel(id), json);
      return 0;
    }
    if (wait === undefined) return showTask(await mesh.task(id), json);
    return showTask(await mesh.wait(id, { timeoutMs: wait * 1_000 }).catch(lastSeen), json);
  },
};

/** Still running is an answer, too. */
function lastSeen(error: unknown): Task {
  if (error instanceof WaitTimeout) return error.task;
  throw error;
}
