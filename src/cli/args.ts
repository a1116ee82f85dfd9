import { parseArgs, type ParseArgsConfig, type ParseArgsOptionsConfig } from "node:util";
import { z } from "zod";
import { nearestName } from "../base/near-name.ts";
import { UsageError } from "./failure.ts";

/** The options of a command and their descriptions, for `muster help COMMAND`. */
export type Details = readonly (readonly [option: string, meaning: string])[];

/** One subcommand. `run` returns the exit code. */
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

interface ArgumentLimits {
  readonly min: number;
  readonly max: number;
  readonly usage: string;
  /** The action that the arguments are of; null or absent for a command without actions. */
  readonly action?: string | null;
  /** The other actions of the command that have this option. */
  readonly actionsWith?: (option: string) => readonly string[];
}

/** Parses the options of a command, and between `min` and `max` positional arguments. */
export function readArgs<const T extends ParseArgsOptionsConfig>(
  argv: readonly string[],
  options: T,
  limits: ArgumentLimits,
): { readonly values: Values<T>; readonly positionals: readonly string[] } {
  const config: Config<T> = { args: [...argv], options, strict: true, allowPositionals: true };
  let parsed: ReturnType<typeof parseArgs<Config<T>>>;
  try {
    parsed = parseArgs(config);
  } catch (error) {
    throw faultOf((error as Error).message, Object.keys(options), limits);
  }
  const { values, positionals } = parsed;
  if (positionals.length < limits.min || positionals.length > limits.max) {
    const isTooMany = positionals.length > limits.max;
    const { action = null } = limits;
    const missing = action === null ? "an argument" : `an argument of ${action}`;
    const what = isTooMany
      ? `unexpected argument "${positionals[limits.max]}"`
      : `${missing} is missing`;
    throw new UsageError(what, `usage: muster ${limits.usage}`);
  }
  return { values, positionals };
}

/** What is wrong with an option, from Node's text, which has several lines and explains how to use `--`. */
function faultOf(message: string, known: readonly string[], limits: ArgumentLimits): UsageError {
  const option = /'(?:-\w, )?(--?[^' ]*)/.exec(message)?.[1] ?? "an option";
  const hint = `usage: muster ${limits.usage}`;
  if (message.startsWith("Unknown option")) {
    const actions = limits.actionsWith?.(option.replace(/^--/, "")) ?? [];
    if (actions.length === 0) return unknownOption(option, known, limits.usage);
    return new UsageError(`${option} is an option of ${listed(actions)}`, hint);
  }
  if (message.includes("does not take an argument"))
    return new UsageError(`${option} takes no value`, hint);
  if (message.includes("is ambiguous"))
    return new UsageError(
      `${option} needs a value; write one that begins with a dash as ${option}=-VALUE`,
      hint,
    );
  return new UsageError(`${option} needs a value`, hint);
}

/** The error for an option that the command does not have. `known` are the names of those that it has. */
export function unknownOption(option: string, known: readonly string[], usage: string): UsageError {
  const near = option.startsWith("--") ? nearestName(option.slice(2), known) : null;
  const question = near === null ? "" : `, did you mean --${near}?`;
  return new UsageError(`unknown option ${option}${question}`, `usage: muster ${usage}`);
}

/** `a`, `a and b`, `a, b and c`. */
const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

/** The value of a number option; undefined when the option is absent. */
export function numberOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) {
    throw new UsageError(`--${name} must be a number, not "${text}"`);
  }
  return value;
}

/** The value of an option that is a whole number of at least 0. */
export function countOption(name: string, text: string | undefined): number | undefined {
  const value = numberOption(name, text);
  if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) {
    throw new UsageError(`--${name} must be a whole number, not "${text}"`);
  }
  return value;
}

/** The value of an option that is a time in RFC 3339 format. */
export function timeOption(name: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  if (!z.iso.datetime({ offset: true }).safeParse(text).success) {
    throw new UsageError(`--${name} must be a time such as 2030-01-31T08:00:00Z, not "${text}"`);
  }
  return new Date(text);
}

/** The value of an option that accepts a fixed set of words. */
export function choiceOption<T extends string>(
  name: string,
  text: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (text === undefined) return undefined;
  const choice = choices.find((known) => known === text);
  if (choice === undefined) {
    throw new UsageError(`--${name} must be one of ${choices.join(", ")}, not "${text}"`);
  }
  return choice;
}
