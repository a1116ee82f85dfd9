import type { Command, Details } from "../args.ts";
import { UsageError } from "../failure.ts";
import { TARGET_DETAILS } from "../target.ts";
import { list } from "./peers/list.ts";
import { reset } from "./peers/reset.ts";
import { cordon, drain, uncordon } from "./peers/schedule.ts";

/** The actions on peers, by name, in the order in which `muster help peers` lists them. */
const ACTIONS: Readonly<Record<string, Command>> = {
  list,
  cordon,
  uncordon,
  drain,
  reset,
};

/** Lists peers, or acts on them; without an action it lists them. */
export const peers: Command = {
  usage: `peers [${Object.keys(ACTIONS).join(" | ")}] [OPTION]...`,
  summary: "list the peers; cordon, uncordon or drain some of them; reset a circuit",
  details: [...Object.entries(ACTIONS).flatMap(describe), ...TARGET_DETAILS],
  run: async ([name, ...argv]) => {
    const action = name !== undefined && Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action !== undefined) return action.run(argv);
    if (name !== undefined && !name.startsWith("-"))
      throw new UsageError(`unknown action "${name}"`, `usage: muster ${peers.usage}`);
    return list.run(name === undefined ? [] : [name, ...argv]);
  },
};

/** An action, and below it its options. */
function describe([name, { summary, details = [] }]: [string, Command]): Details {
  return [
    [name, summary],
    ...details.map(([option, meaning]) => [`  ${option}`, meaning] as const),
  ];
}
