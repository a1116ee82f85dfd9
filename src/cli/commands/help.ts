import { nearestName } from "../../base/near-name.ts";
import { readArgs, type Command, type Details } from "../args.ts";
import { UsageError } from "../failure.ts";
import { print } from "../output.ts";

/** Prints the list of commands, or the help text of one command. */
export const helpFor = (commands: Readonly<Record<string, Command>>): Command => ({
  usage: "help [COMMAND]",
  summary: "list the commands, or describe one command",
  run: (argv) => {
    const { positionals } = readArgs(argv, {}, { min: 0, max: 1, usage: "help [COMMAND]" });
    const [name] = positionals;
    if (name === undefined) printAll(commands);
    else printOne(name, commands);
    return Promise.resolve(0);
  },
});

/** The error for a command that does not exist. */
export function unknownCommand(
  name: string,
  commands: Readonly<Record<string, Command>>,
): UsageError {
  const near = nearestName(name, Object.keys(commands));
  const question = near === null ? "" : `, did you mean "${near}"?`;
  return new UsageError(`unknown command "${name}"${question}`, "`muster help` lists the commands");
}

function printAll(commands: Readonly<Record<string, Command>>): void {
  print("Muster: a control plane for a mesh of compute peers");
  print();
  print("usage: muster COMMAND [OPTION]...");
  print();
  printPairs(Object.entries(commands).map(([name, { summary }]) => [name, summary]));
  print();
  print("`muster help COMMAND` describes one command.");
}

function printOne(name: string, commands: Readonly<Record<string, Command>>): void {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw unknownCommand(name, commands);
  print(`usage: muster ${command.usage}`);
  print();
  print(`${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`);
  if (command.details !== undefined) {
    print();
    printPairs(command.details);
  }
}

function printPairs(pairs: Details): void {
  const width = Math.max(...pairs.map(([left]) => left.length));
  for (const [left, right] of pairs) print(`  ${left.padEnd(width)}  ${right}`);
}
