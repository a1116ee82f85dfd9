import type { parseArgs, ParseArgsConfig, ParseArgsOptionsConfig } from "node:util";
import { z } from "zod";
import { readSignedDecimal, readWholeNumber } from "../base/number-text.ts";
import { nearestName } from "../base/near-name.ts";
import { usageLine } from "./command-name.ts";
import { UsageError } from "./failure.ts";
import { splitWords, type OptionWord } from "./words.ts";

/** The options of a command and their descriptions, for `muster help COMMAND`. */
export type Details = readonly (readonly [option: string, meaning: string])[];

type Config<T extends ParseArgsOptionsConfig> = {
  args: string[];
  options: T;
  strict: true;
  allowPositionals: true;
} & ParseArgsConfig;

export type Values<T extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<Config<T>>
>["values"];

/**
 * The names of the arguments in their order, as `muster help` shows them: `KIND` is required, `[PAYLOAD]` may be absent, `ID...` are one
 * or more, `[ID...]` any number.
 */
export type ArgumentNames = readonly string[];

interface Expected {
  readonly arguments: ArgumentNames;
  readonly usage: string;
  /** The other actions of the command that have this option. */
  readonly actionsWith?: (option: string) => readonly string[];
}

const isOptional = (name: string): boolean => name.startsWith("[");
const isRepeatable = (name: string): boolean => /\.\.\.\]?$/.test(name);

/** The fewest and the most arguments. */
export const argumentCounts = (names: ArgumentNames): readonly [min: number, max: number] => [
  names.filter((name) => !isOptional(name)).length,
  names.some(isRepeatable) ? Number.POSITIVE_INFINITY : names.length,
];

/** Parses the options and the arguments of a command. */
export function readArgs<const T extends ParseArgsOptionsConfig>(
  argv: readonly string[],
  options: T,
  expected: Expected,
): { readonly values: Values<T>; readonly positionals: readonly string[] } {
  const values = new Map<string, string | boolean | string[]>();
  const positionals: string[] = [];
  for (const word of splitWords(argv, options)) {
    if (word.kind === "argument") positionals.push(word.value);
    else addOption(values, word, options, expected);
  }
  for (const [name, option] of Object.entries(options))
    if (option.default !== undefined && !values.has(name))
      values.set(name, option.default as string | boolean | string[]);
  const [min, max] = argumentCounts(expected.arguments);
  const hint = usageLine(expected.usage);
  if (positionals.length > max)
    throw new UsageError(`unexpected argument "${positionals[max]}"`, hint);
  if (positionals.length < min) {
    const missing = expected.arguments[positionals.length] ?? "an argument";
    throw new UsageError(`${missing.replace("...", "")} is missing`, hint);
  }
  // A map has no names that an object has by itself, such as `__proto__`.
  return { values: Object.fromEntries(values) as Values<T>, positionals };
}

/** Adds one option, after a check that the command has it and that it has a value exactly if it takes one. */
function addOption(
  values: Map<string, string | boolean | string[]>,
  { name, written, value, refused }: OptionWord,
  options: ParseArgsOptionsConfig,
  { usage, actionsWith }: Expected,
): void {
  const hint = usageLine(usage);
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined) {
    const actions = actionsWith?.(name) ?? [];
    if (actions.length === 0) throw unknownOption(written, Object.keys(options), usage);
    throw new UsageError(`${written} is an option of ${listed(actions)}`, hint);
  }
  if (option.type === "boolean") {
    if (value !== null) throw new UsageError(`${written} takes no value`, hint);
    values.set(name, true);
    return;
  }
  if (value === null)
    throw new UsageError(
      `${written} needs a value`,
      refused === null ? hint : `write one that begins with a dash as ${written}=-VALUE`,
    );
  const before = values.get(name);
  if (option.multiple === true) values.set(name, [...((before as string[]) ?? []), value]);
  else if (before === undefined) values.set(name, value);
  else throw new UsageError(`${written} is given twice`, "pass it once");
}

/** The error for an option that the command does not have. `known` are the names of those that it has. */
export function unknownOption(option: string, known: readonly string[], usage: string): UsageError {
  const name = option.replace(/^--?/, "");
  const near = nearestName(name, known) ?? partOf(name, known);
  const question = near === null ? "" : `, did you mean --${near}?`;
  return new UsageError(`unknown option ${option}${question}`, usageLine(usage));
}

/** The known name that a longer one ends with, as `attempts` in `max-attempts`, or that ends with a shorter one; null if there is none. */
function partOf(name: string, known: readonly string[]): string | null {
  const found = known.filter((each) => name.endsWith(`-${each}`) || each.endsWith(`-${name}`));
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** `a`, `a and b`, `a, b and c`. */
const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

/** The value of a number option; undefined when the option is absent. */
export function numberOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = readSignedDecimal(text);
  if (value === null) {
    throw new UsageError(`--${name} must be a number, not "${text}"`);
  }
  return value;
}

/** The value of an option that is a whole number of at least 0. */
export function countOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = readWholeNumber(text);
  if (value === null) {
    throw new UsageError(`--${name} must be a whole number, not "${text}"`);
  }
  return value;
}

/** The value of an option that is a whole number of at least 1. */
export function positiveOption(name: string, text: string | undefined): number | undefined {
  const value = countOption(name, text);
  if (value === 0) throw new UsageError(`--${name} must be at least 1, not "${text}"`);
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
