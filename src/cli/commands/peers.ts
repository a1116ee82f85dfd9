import type { Command, Details } from "../args.ts";
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
  summary: "list the peers; cordon, uncordon or drain some of them",
  details: [...Object.entries(ACTIONS).flatMap(describe), ...TARGET_DETAILS],
  run: async ([name, ...argv]) => {
    const action = name !== undefined && Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    return action === undefined
      ? list.run(name === undefined ? [] : [name, ...argv])
      : action.run(argv);
  },
};

/** An action, and below it its options. */
function describe([name, { summary, details = [] }]: [string, Command]): Details {
  return [
    [name, summary],
    ...details.map(([option, meaning]) => [`  ${option}`, meaning] as const),
  ];
}
