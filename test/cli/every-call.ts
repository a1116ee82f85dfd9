/** The least command line of every command and of every action that sends requests to a mesh. */
import { join } from "node:path";
import { COMMANDS } from "../../src/cli/commands/index.ts";

export const TASK = "00000000-0000-4000-8000-000000000001";
export const PEER = "0".repeat(32);
/** A key in its canonical encoding. */
export const KEY = "12".repeat(32);

/** A webhook source that does not exist yet. */
export const NEW = "new";

/** A file with one task. */
export const TASKS_FILE = join(import.meta.dirname, "sample-tasks.jsonl");

/** By the name of the argument. */
const VALUES: Readonly<Record<string, string>> = {
  PEER_ID: PEER,
  PEER,
  OTHER: PEER,
  "PEER_ID or PUBLIC_KEY": PEER,
  PUBLIC_KEY: KEY,
  TASK,
  TASK_ID: TASK,
  ID: TASK,
  TYPE: "get_stats",
  SCOPE: "viewer",
  URL: "https://one.example",
  FILE: TASKS_FILE,
};

/** What an action needs besides its arguments. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  "token set": ["--weight", "2"],
  "kinds set": ["--concurrency", "2"],
  "webhook create": ["--scheme", "github", "--kind", "a"],
  "webhook update": ["--kind", "a", "--scheme", "github", "--identity-path", "none"],
  "webhook test": ["--event", "1"],
  "tasks cancel": [TASK, "--yes"],
  "tasks retry": [TASK, "--yes"],
  "peers cordon": [PEER],
  "peers uncordon": [PEER],
  "peers drain": [PEER],
};

/** What has tests of its own: the connection of a peer, and the streams of backup, restore and events. */
const OTHERS = ["join", "rotate", "backup", "restore", "events"];

const callOf = (words: readonly string[], names: readonly string[]): readonly string[] => [
  ...words,
  ...names
    .filter((name) => !name.startsWith("["))
    .map((name) => (words[1] === "create" && name === "NAME" ? NEW : (VALUES[name] ?? "a"))),
  ...(MORE[words.join(" ")] ?? []),
];

/** Without options that select the mesh. */
export const EVERY_CALL: readonly (readonly [name: string, argv: readonly string[]])[] =
  Object.entries(COMMANDS).flatMap(([name, command]) => {
    if (!Object.hasOwn(command.options, "url") || OTHERS.includes(name)) return [];
    const { actions } = command;
    if (actions === undefined) return [[name, callOf([name], command.arguments)] as const];
    const calls = Object.entries(actions).map(
      ([word, action]) => [`${name} ${word}`, callOf([name, word], action.arguments)] as const,
    );
    return command.arguments.length === 0
      ? calls
      : [[name, [name, ...(name === "dial" ? ["ws://one.example/ws"] : [])]] as const, ...calls];
  });
