/** Commands whose first argument is an action: `muster token create`. Each action has its own options and arguments. */
import { commandName } from "./command-name.ts";
import type { ParseArgsOptionsConfig } from "node:util";
import { nearestName } from "../base/near-name.ts";
import {
  argumentCounts,
  readArgs,
  unknownOption,
  type ArgumentNames,
  type Details,
  type Values,
} from "./args.ts";
import type { Action, Command } from "./command.ts";
import { UsageError } from "./failure.ts";
import { TARGET_DETAILS, TARGET_OPTIONS } from "./target.ts";
import { splitWords, type ArgumentWord } from "./words.ts";

type TargetOptions = typeof TARGET_OPTIONS;

interface ActionOf<T extends ParseArgsOptionsConfig> {
  /** What follows the command's name: `create SCOPE [--label TEXT]`. */
  readonly usage: string;
  readonly summary: string;
  /** Its arguments and its own options, for `muster help COMMAND`. */
  readonly details?: Details;
  /** Its own options. Every action has the options that select the mesh, too. */
  readonly options: T;
  /** The arguments that follow the action's name. */
  readonly arguments: ArgumentNames;
  /** Returns the exit code. */
  readonly run: (
    values: Values<TargetOptions & T>,
    positionals: readonly string[],
  ) => Promise<number>;
}

/** Defines an action by its options, its arguments and what it does. */
export const action = <const T extends ParseArgsOptionsConfig>(defined: ActionOf<T>): Action => {
  const { usage, summary, details = [], run } = defined;
  const options = { ...TARGET_OPTIONS, ...defined.options };
  return {
    usage,
    summary,
    details,
    options: defined.options,
    arguments: defined.arguments,
    run: async (argv, { command, actionsWith }) => {
      const expected = {
        arguments: defined.arguments,
        usage: `${command} ${usage}`,
        actionsWith,
      };
      const { values, positionals } = readArgs(argv, options, expected);
      return run(values, positionals);
    },
  };
};

interface ActionsOf {
  readonly summary: string;
  readonly examples: readonly string[];
  /** By name, in the order in which `muster help COMMAND` lists them. */
  readonly actions: Readonly<Record<string, Action>>;
  /** What the command does if its first argument is no action; without it, an action is required. */
  readonly otherwise?: Action;
}

/** A command that consists of actions. */
export interface CommandWithActions extends Command {
  readonly actions: Readonly<Record<string, Action>>;
}

/** A command that does what its first argument says. An option of one action is refused by the others. */
export function withActions(
  command: string,
  { summary, examples, actions, otherwise }: ActionsOf,
): CommandWithActions {
  const all = [
    ...new Set([...(otherwise === undefined ? [] : [otherwise]), ...Object.values(actions)]),
  ];
  const known: ParseArgsOptionsConfig = Object.assign(
    { ...TARGET_OPTIONS },
    ...all.map(({ options }) => options),
  );
  const labeled = [
    ...(otherwise === undefined || Object.values(actions).includes(otherwise)
      ? []
      : [[`${command} ${firstWord(otherwise.usage)}`, otherwise] as const]),
    ...Object.entries(actions),
  ];
  const actionsWith = (option: string): string[] =>
    labeled.filter(([, { options }]) => Object.hasOwn(options, option)).map(([label]) => label);
  return {
    usage: `${command} ${usageOf(actions, otherwise)}`,
    summary,
    details: [
      ...all.flatMap(describe),
      ...TARGET_DETAILS.map(([option, meaning]) => [option, meaning] as const),
    ],
    examples,
    options: known,
    arguments: otherwise?.arguments ?? [],
    actions,
    run: async (argv) => {
      const word = firstArgument(argv, known, `${command} ${usageOf(actions, otherwise)}`);
      const named =
        word !== null && Object.hasOwn(actions, word.value) ? actions[word.value] : null;
      const context = { command, actionsWith };
      if (word !== null && named !== null && named !== undefined)
        return named.run(argv.toSpliced(word.index, 1), context);
      if (otherwise !== undefined && accepts(otherwise, word)) return otherwise.run(argv, context);
      throw noAction(command, word?.value ?? null, all, Object.keys(actions));
    },
  };
}

const firstWord = (text: string): string => text.split(" ", 1)[0] ?? "";

const usageOf = (actions: Readonly<Record<string, Action>>, otherwise: Action | undefined) => {
  const words = [
    ...(otherwise === undefined || otherwise.arguments.length === 0 ? [] : [otherwise.usage]),
    ...Object.keys(actions),
  ].join(" | ");
  return otherwise !== undefined && fewest(otherwise) === 0
    ? `[${words}] [OPTION]...`
    : `${words} ...`;
};

const fewest = (of: Action): number => argumentCounts(of.arguments)[0];

/** Whether the arguments can be those of what a command does without an action. */
const accepts = (otherwise: Action, word: ArgumentWord | null): boolean =>
  word === null ? fewest(otherwise) === 0 : otherwise.arguments.length > 0;

/** The first argument that is neither an option nor the value of one; null if there is none. */
function firstArgument(
  argv: readonly string[],
  options: ParseArgsOptionsConfig,
  usage: string,
): ArgumentWord | null {
  for (const word of splitWords(argv, options)) {
    if (word.kind === "argument") return word;
    // What follows an option that does not exist may be its value, or the action.
    if (!Object.hasOwn(options, word.name))
      throw unknownOption(word.written, Object.keys(options), usage);
  }
  return null;
}

function noAction(
  command: string,
  word: string | null,
  all: readonly Action[],
  names: readonly string[],
): UsageError {
  const usages = all.map(({ usage }) => `${commandName()} ${command} ${usage}`);
  if (word === null) return new UsageError("an action is missing", "use one of these:", usages);
  const near = nearestName(word, names);
  const hint = near === null ? "use one of these:" : `did you mean "${near}"? The actions are:`;
  return new UsageError(`unknown action "${word}"`, hint, usages);
}

/** An action, and below it its options. */
const describe = ({ usage, summary, details }: Action): Details => [
  [usage.replace(/ (?:\| )?\[?--.*$/, ""), summary],
  ...details.map(([option, meaning]) => [`  ${option}`, meaning] as const),
];
