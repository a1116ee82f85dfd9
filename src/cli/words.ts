/** Splits the words of a command line into options and arguments. */
import type { ParseArgsOptionsConfig } from "node:util";

export interface OptionWord {
  readonly kind: "option";
  /** Without its dashes. */
  readonly name: string;
  /** As it was written, without its value. */
  readonly written: string;
  /** The value that belongs to it; null for none. */
  readonly value: string | null;
  /** The next word, if it looks like an option and is therefore not the value. */
  readonly refused: string | null;
}

export interface ArgumentWord {
  readonly kind: "argument";
  readonly value: string;
  /** Its place among the words. */
  readonly index: number;
}

/** A number below zero is a value or an argument: no option begins with a digit. */
const NEGATIVE_NUMBER = /^-(?:\d|\.\d)/;

/** Whether a word is an option. `-` alone stands for stdin. */
const looksLikeOption = (word: string): boolean =>
  word.length > 1 && word.startsWith("-") && !NEGATIVE_NUMBER.test(word);

/**
 * The words in their order. An option that takes a value has it after `=` or in the next word. After `--` all words are arguments.
 * An option that does not exist takes no further word.
 */
export function splitWords(
  argv: readonly string[],
  options: ParseArgsOptionsConfig,
): readonly (OptionWord | ArgumentWord)[] {
  const words: (OptionWord | ArgumentWord)[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] as string;
    if (word === "--") {
      for (let rest = index + 1; rest < argv.length; rest++)
        words.push({ kind: "argument", value: argv[rest] as string, index: rest });
      return words;
    }
    if (!looksLikeOption(word)) {
      words.push({ kind: "argument", value: word, index });
      continue;
    }
    const option = optionOf(word);
    const takesValue = Object.hasOwn(options, option.name) && typeOf(options, option) === "string";
    const next = argv[index + 1];
    if (!takesValue || option.value !== null || next === undefined) words.push(option);
    else if (looksLikeOption(next)) words.push({ ...option, refused: next });
    else {
      words.push({ ...option, value: next });
      index++;
    }
  }
  return words;
}

const typeOf = (options: ParseArgsOptionsConfig, { name }: OptionWord) => options[name]?.type;

/** `--name`, `--name=value`, or `-x`, which no command has. */
function optionOf(word: string): OptionWord {
  const isLong = word.startsWith("--");
  const end = isLong ? word.indexOf("=") : -1;
  const written = end === -1 ? word : word.slice(0, end);
  return {
    kind: "option",
    // A single dash is kept, so that `-state` is not the option `--state`.
    name: isLong ? written.slice(2) : written,
    written,
    value: end === -1 ? null : word.slice(end + 1),
    refused: null,
  };
}
