import type { ParseArgsOptionsConfig } from "node:util";
import { readArgs, type ArgumentNames, type Details, type Values } from "./args.ts";

/** How a command or an action is called. Help, man page, completion and documentation are made from it. */
export interface Call {
  /** `task ID [--wait SECONDS]`; of an action without the command's name. */
  readonly usage: string;
  readonly summary: string;
  /** Its arguments and options, for `muster help COMMAND`. */
  readonly details: Details;
  readonly options: ParseArgsOptionsConfig;
  readonly arguments: ArgumentNames;
}

/** An action of a command. `options` are its own: every action has those that select the mesh, too. */
export interface Action extends Call {
  readonly run: (argv: readonly string[], context: ActionContext) => Promise<number>;
}

interface ActionContext {
  /** The name of the command. */
  readonly command: string;
  /** The actions that have this option. */
  readonly actionsWith: (option: string) => readonly string[];
}

/** One subcommand. `run` returns the exit code. */
export interface Command extends Call {
  /** Command lines, without the name of the program. */
  readonly examples: readonly string[];
  /** By name; absent for a command without actions. `options` has the options of all of them. */
  readonly actions?: Readonly<Record<string, Action>>;
  readonly run: (argv: readonly string[]) => Promise<number>;
}

interface CommandOf<T extends ParseArgsOptionsConfig> extends Call {
  readonly options: T;
  readonly examples: readonly string[];
  /** Returns the exit code. */
  readonly run: (values: Values<T>, positionals: readonly string[]) => Promise<number>;
}

/** Defines a command without actions by its options, its arguments and what it does. */
export const command = <const T extends ParseArgsOptionsConfig>(
  defined: CommandOf<T>,
): Command => ({
  ...defined,
  run: async (argv) => {
    const { values, positionals } = readArgs(argv, defined.options, defined);
    return defined.run(values, positionals);
  },
});
