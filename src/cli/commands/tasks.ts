import type { Command, Details } from "../args.ts";
import { UsageError } from "../failure.ts";
import { TARGET_DETAILS } from "../target.ts";
import { cancel } from "./tasks/cancel.ts";
import { failures } from "./tasks/failures.ts";
import { list } from "./tasks/list.ts";
import { stats } from "./tasks/stats.ts";
import { retry } from "./tasks/retry.ts";

/** The actions on many tasks, by name, in the order in which `muster help tasks` lists them. */
const ACTIONS: Readonly<Record<string, Command>> = { list, stats, failures, cancel, retry };

const usage = `tasks [${Object.keys(ACTIONS).join(" | ")}] [OPTION]...`;

/** Lists tasks and acts on many of them at once: one action per file in `tasks/`. Without an action it lists them. */
export const tasks: Command = {
  usage,
  summary: "list tasks and the reasons of failures; cancel or retry many tasks",
  details: [...Object.entries(ACTIONS).flatMap(describe), ...TARGET_DETAILS],
  run: async ([name, ...argv]) => {
    if (name === undefined) return list.run([]);
    if (name.startsWith("-")) return list.run([name, ...argv]);
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action === undefined)
      throw new UsageError(`unknown action "${name}"`, `usage: muster ${usage}`);
    return action.run(argv);
  },
};

/** An action, and below it its options. */
function describe([name, { summary, details = [] }]: [string, Command]): Details {
  return [
    [name, summary],
    ...details.map(([option, meaning]) => [`  ${option}`, meaning] as const),
  ];
}
