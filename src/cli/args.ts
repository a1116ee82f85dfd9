import { parseArgs, type ParseArgsConfig, type ParseArgsOptionsConfig } from "node:util";
import { z } from "zod";
import { UsageError } from "./failure.ts";

/** Options and what they mean, for `muster help COMMAND`. */
export type Details = readonly (readonly [option: string, meaning: string])[];

/** One subcommand: how it is called, what it does, and the doing. Its answer is the exit code. */
export interface Command {
  readonly usage: string;
  readonly summary: string;
  readonly details?: Details;
  readonly run: (argv: readonly string[]) => Promise<number>;
}

type Config<T extends ParseArgsOptionsConfig> = {
  args: string[];
  options: T;
  strict: true;
  allowPositionals: true;
} & ParseArgsConfig;

export type Values<T extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<Config<T>>
>["values"];

/** Reads a command's options, and between `min` and `max` words beside them. */
export function readArgs<const T extends ParseArgsOptionsConfig>(
  argv: readonly string[],
  options: T,
  words: { readonly min: number; readonly max: number; readonly usage: string },
): { readonly values: Values<T>; readonly positionals: readonly string[] } {
  const config: Config<T> = { args: [...argv], options, strict: true, allowPositionals: true };
  let parsed: ReturnType<typeof parseArgs<Config<T>>>;
  try {
    parsed = parseArgs(config);
  } catch (error) {
    // The rest of Node's text is advice on its own `--` rules.
    const [what] = (error as Error).message.split(". ");
    throw new UsageError(String(what), `usage: muster ${words.usage}`);
  }
  const { values, positionals } = parsed;
  if (positionals.length < words.min || positionals.length > words.max) {
    const many = positionals.length > words.max;
    const what = many ? `one word too many: ${positionals[words.max]}` : "something is missing";
    throw new UsageError(what, `usage: muster ${words.usage}`);
  }
  return { values, positionals };
}

/** A number option; undefined when it was not given. */
export function numberOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) {
    throw new UsageError(`--${name} takes a number, not "${text}"`);
  }
  return value;
}

/** A number option that counts something. */
export function countOption(name: string, text: string | undefined): number | undefined {
  const value = numberOption(name, text);
  if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) {
    throw new UsageError(`--${name} takes a whole number, not "${text}"`);
  }
  return value;
}

/** An option that is a time. */
export function timeOption(name: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  if (!z.iso.datetime({ offset: true }).safeParse(text).success) {
    throw new UsageError(`--${name} takes a time such as 2030-01-31T08:00:00Z, not "${text}"`);
  }
  return new Date(text);
}

/** An option that is one of a few words. */
export function choiceOption<T extends string>(
  name: string,
  text: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (text === undefined) return undefined;
  const choice = choices.find((known) => known === text);
  if (choice === undefined) {
    throw new UsageError(`--${name} is one of ${choices.join(", ")}, not "${text}"`);
  }
  return choice;
}
