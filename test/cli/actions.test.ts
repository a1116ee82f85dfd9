import { describe, expect, test } from "vitest";
import type { CommandWithActions } from "../../src/cli/actions.ts";
import type { Command } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/commands/index.ts";
import { unknownCommand } from "../../src/cli/commands/help.ts";
import type { UsageError } from "../../src/cli/failure.ts";
import { TARGET_OPTIONS } from "../../src/cli/target.ts";

const hasActions = (command: Command): command is CommandWithActions => "actions" in command;

const WITH_ACTIONS = Object.entries(COMMANDS).flatMap(([name, command]) =>
  hasActions(command) ? [[name, command] as const] : [],
);

/** An action, and an option that it does not have although another action of its command has it. */
const FOREIGN_OPTIONS = WITH_ACTIONS.flatMap(([name, { actions }]) =>
  Object.entries(actions).flatMap(([word, { options, arguments: names }]) =>
    Object.values(actions)
      .flatMap((other) => Object.entries(other.options))
      .filter(([option]) => !Object.hasOwn(options, option))
      .map(([option, { type }]) => [name, word, option, type, names] as const),
  ),
);

/** The error of a command. Nothing answers at the URL, so no command gets further than its arguments. */
async function errorOf(command: string, argv: readonly string[]): Promise<UsageError> {
  const url = ["--url", "http://127.0.0.1:1"];
  const run = COMMANDS[command]?.run([...argv, ...url]) ?? Promise.reject(new Error("no command"));
  return run.then(
    () => Promise.reject(new Error("no error")),
    (error: UsageError) => error,
  );
}

describe("commands with actions", () => {
  test("there are commands with actions, and options that only some actions have", () => {
    expect(WITH_ACTIONS.length).toBeGreaterThan(6);
    expect(FOREIGN_OPTIONS.length).toBeGreaterThan(20);
  });

  test.each(FOREIGN_OPTIONS)(
    "CL20 `muster %s %s` refuses --%s, an option of another action, and says of which",
    async (name, word, option, type, names) => {
      const value = type === "string" ? ["1"] : [];
      const words = names.map(() => "x");
      const error = await errorOf(name, [word, ...words, `--${option}`, ...value]);
      expect(error.message).toMatch(new RegExp(`^--${option} is an option of \\w`));
      expect(error.exitCode).toBe(2);
    },
  );

  test.each(WITH_ACTIONS)(
    "CL21 `muster %s` names its actions when an unknown one is given",
    async (name, { actions }) => {
      const error = await errorOf(name, ["no-such-action"]);
      expect(error.exitCode).toBe(2);
      if (name === "dial") return; // its other first argument is a URL
      expect(error.message).toBe('unknown action "no-such-action"');
      for (const { usage } of Object.values(actions))
        expect(error.details).toContain(`npx muster ${name} ${usage}`);
    },
  );

  test.each(["token", "join-key", "denylist", "callback", "dial"])(
    "CL21 `muster %s` without an action shows its actions",
    async (name) => {
      const error = await errorOf(name, []);
      expect(error).toMatchObject({ message: "an action is missing", exitCode: 2 });
      const actions = WITH_ACTIONS.find(([each]) => each === name)?.[1].actions ?? {};
      for (const { usage } of Object.values(actions))
        expect(error.details).toContain(`npx muster ${name} ${usage}`);
    },
  );

  test("CL21 a misspelled action or command is suggested", async () => {
    expect((await errorOf("token", ["crate", "viewer"])).hint).toContain('did you mean "create"?');
    expect(unknownCommand("tokn", COMMANDS).message).toContain('did you mean "token"?');
    expect(unknownCommand("frobnicate", COMMANDS).message).toBe('unknown command "frobnicate"');
  });

  test("CL20 the options may be written before the action", async () => {
    const error = await errorOf("token", ["--days", "3", "list"]);
    expect(error.message).toBe("--days is an option of create");
  });

  test.each(WITH_ACTIONS)("every option of `muster %s` is described", (_, { actions, details }) => {
    const described = (details ?? []).map(([left]) => left).join("\n");
    for (const option of [
      ...Object.values(actions).flatMap(({ options }) => Object.keys(options)),
      ...Object.keys(TARGET_OPTIONS),
    ])
      expect(described).toMatch(new RegExp(`--${option}\\b`));
  });
});
