import { argumentCounts } from "../args.ts";
import type { Call, Command } from "../command.ts";
import type { CommandGroup } from "../command-groups.ts";
import { TARGET_OPTIONS } from "../target.ts";
import { kindOfValue, type ValueKind } from "./option-values.ts";

/** One line that can be called: a command, or an action of one. */
export interface TableRow {
  /** `peers drain`. */
  readonly name: string;
  readonly group: string;
  readonly usage: string;
  readonly summary: string;
  readonly arguments: readonly string[];
  /** The fewest and the most arguments; null: any number. */
  readonly argument_counts: readonly [number, number | null];
  readonly options: readonly TableOption[];
}

interface TableOption {
  readonly name: string;
  /** What its value is; null for an option without one. */
  readonly value: ValueKind | null;
  readonly repeatable: boolean;
}

/** Every command and every action, in the order of `muster help`. */
export const tableOf = (groups: readonly CommandGroup[]): readonly TableRow[] =>
  groups.flatMap(({ title, commands }) =>
    Object.entries(commands).flatMap(([name, command]) => rowsOf(name, title, command)),
  );

function rowsOf(name: string, group: string, command: Command): readonly TableRow[] {
  const { actions } = command;
  if (actions === undefined) return [rowOf(name, group, command, command)];
  const rows = Object.entries(actions).map(([word, action]) => {
    const usage = `${name} ${action.usage}`;
    const options = { ...TARGET_OPTIONS, ...action.options };
    return rowOf(`${name} ${word}`, group, { ...action, usage, options }, command);
  });
  // What the command does with an argument that is no action, such as `dial URL`.
  return command.arguments.length === 0 ? rows : [rowOf(name, group, command, command), ...rows];
}

function rowOf(name: string, group: string, call: Call, { details }: Command): TableRow {
  const { usage, summary, options, arguments: names } = call;
  const [min, max] = argumentCounts(names);
  return {
    name,
    group,
    usage,
    summary,
    arguments: names,
    argument_counts: [min, Number.isFinite(max) ? max : null],
    options: Object.entries(options).map(([option, { type, multiple = false }]) => ({
      name: `--${option}`,
      value: type === "boolean" ? null : kindOfValue(option, details),
      repeatable: multiple,
    })),
  };
}
