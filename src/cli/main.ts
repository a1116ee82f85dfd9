import { COMMANDS } from "./commands/index.ts";
import { describeError, UsageError } from "./failure.ts";
import { note, styled } from "./output.ts";

async function main([name = "help", ...argv]: readonly string[]): Promise<number> {
  if (name === "--help" || name === "-h") return main(["help"]);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined)
    throw new UsageError(`unknown command "${name}"`, "`muster help` lists the commands");
  if (argv.includes("--help") || argv.includes("-h")) return main(["help", name]);
  return command.run(argv);
}

// A reader such as `head` may close the pipe early; that is not an error.
process.stdout.on("error", () => process.exit(0));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { text, exitCode } = describeError(error);
  note(`${styled("red", "muster:", process.stderr)} ${text}`);
  process.exitCode = exitCode;
}
