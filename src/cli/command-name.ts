import { delimiter, dirname, resolve } from "node:path";

/** The name of the npm package that this program is part of. */
export const PACKAGE = "muster-mesh";

/** What decides how the user calls this program again. */
export interface Invocation {
  /** The file of a module of this program: TypeScript in a checkout, JavaScript in an installed package. */
  readonly module: string;
  /** The program as it was called: for a command that npm installed, the link to it. */
  readonly program: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Whether this program runs from an installed package rather than from a checkout. */
export const isInstalled = (module: string = import.meta.filename): boolean =>
  module.endsWith(".js");

/**
 * The words by which the user calls this program from where it was called: every hint begins with them. `muster` is right only where
 * a shell finds it; npm puts the commands of a folder on the path of what it runs itself, and not on the user's.
 */
export function commandNameOf({ module, program, env }: Invocation): string {
  if (!isInstalled(module)) return "npx muster";
  const isOnPath = (env["PATH"] ?? "").split(delimiter).includes(dirname(resolve(program)));
  return isOnPath && env["npm_command"] === undefined ? "muster" : `npx ${PACKAGE}`;
}

export const commandName = (): string =>
  commandNameOf({
    module: import.meta.filename,
    program: process.argv[1] ?? "",
    env: process.env,
  });

/** A command in a text: "`npx muster help`". */
export const quotedCommand = (words: string): string => `\`${commandName()} ${words}\``;

/** The line with the usage of a command: "usage: npx muster peers list". */
export const usageLine = (usage: string): string => `usage: ${commandName()} ${usage}`;

/** A text of the documentation, which names commands as a checkout has them, with the commands of this program. */
export const withCommandName = (text: string): string =>
  text.replaceAll("npx muster ", `${commandName()} `);
