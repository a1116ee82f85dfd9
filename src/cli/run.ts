import { COMMANDS } from "./commands/index.ts";
import { unknownCommand } from "./commands/help.ts";
import { describeError, errorJson } from "./failure.ts";
import { line, note, noteJsonLine, OutputEnded, styled } from "./output.ts";
import { splitWords } from "./words.ts";

/** What other programs call help and version. */
const ALIASES: Readonly<Record<string, string>> = {
  "--help": "help",
  "-h": "help",
  "--version": "version",
  "-V": "version",
};

/** Runs a command line. Tells of an error on stderr, and returns the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    return tellError(error, argv);
  }
}

/** Says what is wrong: for people, or with `--json` as one JSON object on the last line of stderr. Returns the exit code. */
export function tellError(error: unknown, argv: readonly string[]): number {
  if (error instanceof OutputEnded) return 0;
  const { text, details, exitCode } = describeError(error);
  if (wantsJson(argv)) noteJsonLine(errorJson(error));
  else note([line(styled("red", "muster:"), ` ${text}`), ...details]);
  return exitCode;
}

function dispatch([word = "help", ...argv]: readonly string[]): Promise<number> {
  const name = Object.hasOwn(ALIASES, word) ? String(ALIASES[word]) : word;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw unknownCommand(name, COMMANDS);
  const words = splitWords(argv, command.options);
  const asksForHelp = words.some(
    (each) => each.kind === "option" && ["--help", "-h"].includes(each.written),
  );
  if (!asksForHelp) return command.run(argv);
  const [first] = words.filter((each) => each.kind === "argument");
  const isAction = first !== undefined && Object.hasOwn(command.actions ?? {}, first.value);
  return dispatch(["help", name, ...(isAction ? [first.value] : [])]);
}

/** Whether `--json` is among the options, of whichever command. */
function wantsJson([name = "", ...argv]: readonly string[]): boolean {
  const options = Object.hasOwn(COMMANDS, name) ? (COMMANDS[name]?.options ?? {}) : {};
  return splitWords([name, ...argv], options).some(
    (word) => word.kind === "option" && word.written === "--json",
  );
}
