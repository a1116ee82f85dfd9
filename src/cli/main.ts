import type { Command } from "./args.ts";
import { allow } from "./commands/allow.ts";
import { assign } from "./commands/assign.ts";
import { callback } from "./commands/callback.ts";
import { demo } from "./commands/demo.ts";
import { dial } from "./commands/dial.ts";
import { audit } from "./commands/audit.ts";
import { disallow } from "./commands/disallow.ts";
import { discover } from "./commands/discover.ts";
import { helpFor } from "./commands/help.ts";
import { join } from "./commands/join.ts";
import { joinKey } from "./commands/join-key.ts";
import { keygen } from "./commands/keygen.ts";
import { mesh } from "./commands/mesh.ts";
import { peers } from "./commands/peers.ts";
import { revoke } from "./commands/revoke.ts";
import { score } from "./commands/score.ts";
import { why } from "./commands/why.ts";
import { rotate } from "./commands/rotate.ts";
import { rtt } from "./commands/rtt.ts";
import { token } from "./commands/token.ts";
import { start } from "./commands/start.ts";
import { task } from "./commands/task.ts";
import { webhook } from "./commands/webhook.ts";
import { explain, UsageError } from "./failure.ts";
import { note, styled } from "./output.ts";

const COMMANDS: Record<string, Command> = {
  start,
  demo,
  keygen,
  join,
  assign,
  task,
  callback,
  webhook,
  peers,
  discover,
  score,
  why,
  rtt,
  dial,
  allow,
  disallow,
  revoke,
  "join-key": joinKey,
  token,
  rotate,
  audit,
  mesh,
};
COMMANDS["help"] = helpFor(COMMANDS);

async function main([name = "help", ...argv]: readonly string[]): Promise<number> {
  if (name === "--help" || name === "-h") return main(["help"]);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined)
    throw new UsageError(`there is no command "${name}"`, "see `muster help`");
  if (argv.includes("--help") || argv.includes("-h")) return main(["help", name]);
  return command.run(argv);
}

// A reader that has seen enough (`| head`) closes the pipe; that is no error of ours.
process.stdout.on("error", () => process.exit(0));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { text, exitCode } = explain(error);
  note(`${styled("red", "muster:", process.stderr)} ${text}`);
  process.exitCode = exitCode;
}
