import { nearestName } from "../../base/near-name.ts";
import { troubleshootingEntry } from "../../protocol/troubleshooting.ts";
import { readArgs, type Command, type Details } from "../args.ts";
import { UsageError } from "../failure.ts";
import { print } from "../output.ts";
import { quotedCommand, withCommandName } from "../command-name.ts";

/** Prints the list of commands, the help text of one command, or what a code means. */
export const helpFor = (commands: Readonly<Record<string, Command>>): Command => ({
  usage: "help [COMMAND | CODE]",
  summary: "list the commands; describe a command, an error code or a close code",
  run: (argv) => {
    const { positionals } = readArgs(argv, {}, { min: 0, max: 1, usage: "help [COMMAND | CODE]" });
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
  return new UsageError(
    `unknown command "${name}"${question}`,
    `${quotedCommand("help")} lists the commands`,
  );
}

function printAll(commands: Readonly<Record<string, Command>>): void {
  print("Muster: a control plane for a mesh of compute peers");
  print();
  print("usage: muster COMMAND [OPTION]...");
  print();
  printPairs(Object.entries(commands).map(([name, { summary }]) => [name, summary]));
  print();
  print(
    `${quotedCommand("help COMMAND")} describes a command, ${quotedCommand("help CODE")} an error code or a close code.`,
  );
}

function printOne(name: string, commands: Readonly<Record<string, Command>>): void {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) return printEntry(name, commands);
  print(`usage: muster ${command.usage}`);
  print();
  print(`${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`);
  if (command.details !== undefined) {
    print();
    printPairs(command.details);
  }
}

/** What docs/troubleshooting.md says of a code. */
function printEntry(code: string, commands: Readonly<Record<string, Command>>): void {
  const entry = troubleshootingEntry(code);
  if (entry === null) throw unknownCommand(code, commands);
  print(withCommandName(entry.text).split("\n"));
}

function printPairs(pairs: Details): void {
  const width = Math.max(...pairs.map(([left]) => left.length));
  for (const [left, right] of pairs) print(`  ${left.padEnd(width)}  ${right}`);
}
