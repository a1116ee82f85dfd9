import { COMMANDS } from "./commands/index.ts";
import { unknownCommand } from "./commands/help.ts";
import { describeError } from "./failure.ts";
import { line, note, styled, takeOverOutput } from "./output.ts";

async function main([name = "help", ...argv]: readonly string[]): Promise<number> {
  if (name === "--help" || name === "-h") return main(["help"]);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw unknownCommand(name, COMMANDS);
  if (argv.includes("--help") || argv.includes("-h")) return main(["help", name]);
  return command.run(argv);
}

function noteError(error: unknown): number {
  const { text, details, exitCode } = describeError(error);
  note([line(styled("red", "muster:"), ` ${text}`), ...details]);
  return exitCode;
}

takeOverOutput((error) => process.exit(noteError(error)));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = noteError(error);
}
