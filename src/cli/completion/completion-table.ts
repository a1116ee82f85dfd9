import type { CommandGroup } from "../command-groups.ts";
import { tableOf, type TableRow } from "../help/command-table.ts";
import type { ValueKind } from "../help/option-values.ts";

/** What a shell completes after a command, or after a command and its action. */
export interface Completed {
  /** `peers`, or `peers drain`. */
  readonly name: string;
  readonly summary: string;
  readonly options: readonly { readonly name: string; readonly value: ValueKind | null }[];
  /** The words that may come next, each with its meaning: actions, or of `help` the commands. */
  readonly next: readonly (readonly [word: string, meaning: string])[];
  /** Whether an argument is a file. */
  readonly takesFile: boolean;
}

/** Every command and every action. A command with actions has the options of all of them. */
export function completionTable(groups: readonly CommandGroup[]): readonly Completed[] {
  const rows = tableOf(groups);
  const names = groups.flatMap(({ commands }) => Object.keys(commands));
  const summaries = groups.flatMap(({ commands }) =>
    Object.entries(commands).map(([name, { summary }]) => [name, summary] as const),
  );
  return names.flatMap((name, index): Completed[] => {
    const own = rows.find((row) => row.name === name);
    const actions = rows.filter((row) => row.name.startsWith(`${name} `));
    const command: Completed = {
      name,
      summary: summaries[index]?.[1] ?? "",
      options: optionsOf([...(own === undefined ? [] : [own]), ...actions]),
      next:
        name === "help"
          ? summaries
          : actions.map((row) => [row.name.slice(name.length + 1), row.summary]),
      takesFile: own !== undefined && takesFile(own),
    };
    return [
      command,
      ...actions.map((row) => ({
        name: row.name,
        summary: row.summary,
        options: optionsOf([row]),
        next: [],
        takesFile: takesFile(row),
      })),
    ];
  });
}

const takesFile = (row: TableRow): boolean => row.arguments.some((name) => name.includes("FILE"));

function optionsOf(rows: readonly TableRow[]): Completed["options"] {
  const all = new Map(rows.flatMap(({ options }) => options).map((each) => [each.name, each]));
  return [...all.values(), { name: "--help", value: null }];
}
