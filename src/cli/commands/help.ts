import { nearestName } from "../../base/near-name.ts";
import { command, type Call, type Command } from "../command.ts";
import { commandsOf, type CommandGroup } from "../command-groups.ts";
import { commandName, quotedCommand, usageLine, withCommandName } from "../command-name.ts";
import type { Details } from "../args.ts";
import { UsageError } from "../failure.ts";
import { codesLike, entriesAbout, listOfCodes } from "../help/codes.ts";
import { manPage } from "../help/man-page.ts";
import { tableOf } from "../help/command-table.ts";
import { print, printJson } from "../output.ts";
import { version } from "../version.ts";

const OPTIONS = { man: { type: "boolean" }, json: { type: "boolean" } } as const;

/** Prints the list of commands, the help text of one command or action, what a code means, or the manual page. */
export const helpFor = (groups: () => readonly CommandGroup[]): Command =>
  command({
    usage: "help [COMMAND [ACTION] | CODE | codes] [--man]",
    summary: "list the commands; describe a command, an error code or an HTTP status",
    details: [
      ["COMMAND [ACTION]", "what a command does, its options and examples"],
      ["CODE", "what an error code, a close code or an HTTP status means, and what to do"],
      ["codes", "list all codes"],
      ["--man", "print the manual page: muster help --man | man -l -"],
      ["--json", "print the commands, their options and arguments as JSON"],
    ],
    examples: ["help peers drain", "help not_allowed", "help 429"],
    options: OPTIONS,
    arguments: ["[COMMAND]", "[ACTION]"],
    run: ({ man = false, json = false }, [name, action]) => {
      const commands = commandsOf(groups());
      if (man || json) {
        if (name !== undefined || (man && json))
          throw new UsageError(
            "--man and --json are about all commands",
            "pass one of them, and no name",
          );
        if (man) print(manPage(groups(), version(), new Date().toISOString().slice(0, 10)));
        else printJson(tableOf(groups()));
      } else if (name === undefined) print(overview(groups()));
      else if (Object.hasOwn(commands, name))
        print(helpOf(name, commands[name] as Command, action));
      else if (action !== undefined) throw unknownCommand(name, commands);
      else print(aboutCode(name, commands));
      return Promise.resolve(0);
    },
  });

/** The error for a command that does not exist. */
export function unknownCommand(
  name: string,
  commands: Readonly<Record<string, Command>>,
): UsageError {
  const near = nearestName(name, Object.keys(commands));
  const withAction = Object.entries(commands).find(
    ([, { actions = {} }]) => near === null && Object.hasOwn(actions, name),
  );
  const meant = near ?? (withAction === undefined ? null : `${withAction[0]} ${name}`);
  return new UsageError(
    `unknown command "${name}"${meant === null ? "" : `, did you mean "${meant}"?`}`,
    `${quotedCommand("help")} lists the commands`,
  );
}

function overview(groups: readonly CommandGroup[]): readonly string[] {
  const width = Math.max(...Object.keys(commandsOf(groups)).map((name) => name.length));
  return [
    "Muster: a control plane for a mesh of compute peers",
    "",
    usageLine("COMMAND [OPTION]..."),
    ...groups.flatMap(({ title, commands }) => [
      "",
      `${title}:`,
      ...Object.entries(commands).map(
        ([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`,
      ),
    ]),
    "",
    `${quotedCommand("help COMMAND")} describes a command, ${quotedCommand("help CODE")} an error code or a close code.`,
  ];
}

/** The help text of a command, or of one of its actions. */
function helpOf(name: string, of: Command, word: string | undefined): readonly string[] {
  const { actions = {} } = of;
  if (word === undefined)
    return [
      usageLine(of.usage),
      "",
      sentence(of.summary),
      ...(of.details.length === 0 ? [] : ["", ...pairs(of.details)]),
      ...examples(of.examples),
    ];
  const action = Object.hasOwn(actions, word) ? actions[word] : undefined;
  if (action === undefined) {
    const near = nearestName(word, Object.keys(actions));
    throw new UsageError(
      `${name} has no action "${word}"${near === null ? "" : `, did you mean "${near}"?`}`,
      `${quotedCommand(`help ${name}`)} describes it`,
    );
  }
  const details = detailsOf(action, of);
  return [
    usageLine(`${name} ${action.usage}`),
    "",
    sentence(action.summary),
    ...(details.length === 0 ? [] : ["", ...pairs(details)]),
    "",
    `${quotedCommand(`help ${name}`)} lists the other actions, and the options that select the mesh.`,
    ...examples(of.examples.filter((example) => example.startsWith(`${name} ${word}`))),
  ];
}

/** The arguments and options of an action. Several actions of a command may share the description of an option. */
function detailsOf({ options, details }: Call, { details: all }: Command): Details {
  const described = new Set(details.map(([left]) => left.split(/[ =]/, 1)[0]));
  const shared = Object.keys(options)
    .filter((option) => !described.has(`--${option}`))
    .flatMap((option) => {
      const start = all.findIndex(([left]) => left.trim().split(/[ =]/, 1)[0] === `--${option}`);
      if (start === -1) return [];
      const next = all.findIndex(([left], index) => index > start && left.trim() !== "");
      return all.slice(start, next === -1 ? undefined : next);
    })
    .map(([left, meaning]) => [left.trim(), meaning] as const);
  return [...details, ...shared];
}

const sentence = (summary: string): string =>
  `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;

const examples = (lines: readonly string[]): readonly string[] =>
  lines.length === 0
    ? []
    : ["", lines.length === 1 ? "Example:" : "Examples:", ...lines.map(exampleLine)];

const exampleLine = (example: string): string => `  ${commandName()} ${example}`;

/** What docs/troubleshooting.md says of a code, or which codes are probably meant. */
function aboutCode(word: string, commands: Readonly<Record<string, Command>>): readonly string[] {
  if (word === "codes") return listOfCodes();
  const found = codesLike(word);
  const [only] = found;
  if (only !== undefined && found.length === 1) return withCommandName(only.text).split("\n");
  if (found.length > 0) return listing(`codes for "${word}":`, found);
  // A misspelled command is meant more probably than a word of an entry.
  const near = nearestName(word, Object.keys(commands));
  const mentioning = near === null ? entriesAbout(word) : [];
  if (mentioning.length > 0) return listing(`entries that mention "${word}":`, mentioning);
  const { message } = unknownCommand(word, commands);
  throw new UsageError(
    message.replace("unknown command", "no command, action or code is called"),
    `${quotedCommand("help")} lists the commands, ${quotedCommand("help codes")} the codes`,
  );
}

const listing = (
  heading: string,
  entries: readonly { readonly id: string; readonly meaning: string }[],
): readonly string[] => [
  heading,
  "",
  ...pairs(entries.map(({ id, meaning }) => [id, meaning] as const)),
  "",
  `${quotedCommand("help CODE")} explains one.`,
];

function pairs(details: Details): readonly string[] {
  const width = Math.max(...details.map(([left]) => left.length));
  return details.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
}
