import { nearestName } from "../base/near-name.ts";
import { OptionsError } from "./errors.ts";
import { OPTION_TYPES, typeNameOf, type OptionType } from "./option-types.ts";

/** The type of an option, with `!` if it must be given. */
type OptionRule = OptionType | `${OptionType}!`;

/** All options of a method with their types, and below an option those of its object. The compiler says which are missing. */
export type OptionNames<T> = {
  readonly [Name in keyof T]-?: OptionRule | Readonly<Record<string, OptionRule>>;
};

/**
 * Throws an `OptionsError` that names everything that is wrong with the options of a method: those that do not exist, those that are
 * missing, and those of another type. A program in JavaScript has no compiler that says so, and a misspelled option would have no effect.
 * `example` is a call of the method, for the error. Values are not shown: some are secrets.
 */
export function refuseUnknownOptions<T extends object>(
  method: string,
  given: T,
  names: OptionNames<T>,
  example?: string,
): void {
  const wrongs = isObject(given)
    ? wrongOptions(method, given, names, "")
    : [`the options of ${method} are an object, not ${typeNameOf(given)}`];
  if (wrongs.length === 0) return;
  const shown = wrongs.slice(0, WRONGS_SHOWN).join("; ");
  throw new OptionsError(example === undefined ? shown : `${shown}; for example ${example}`);
}

/** A misplaced list has thousands of wrong options. */
const WRONGS_SHOWN = 20;

type Names = Readonly<Record<string, OptionRule | Readonly<Record<string, OptionRule>>>>;

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

function wrongOptions(method: string, given: object, names: Names, path: string): string[] {
  const unknown = Object.keys(given)
    .filter((name) => !Object.hasOwn(names, name))
    .map((name) => unknownOption(method, name, names, path));
  const wrong = Object.entries(names).flatMap(([name, rule]) =>
    wrongOption(method, `${path}${name}`, (given as Readonly<Record<string, unknown>>)[name], rule),
  );
  return [...unknown, ...wrong];
}

function wrongOption(method: string, path: string, value: unknown, rule: Names[string]): string[] {
  if (typeof rule === "object") {
    if (value === undefined) return [];
    if (isObject(value)) return wrongOptions(method, value, rule, `${path}.`);
    return [`\`${path}\` of ${method} is an object, not ${typeNameOf(value)}`];
  }
  const isRequired = rule.endsWith("!");
  if (value === undefined) return isRequired ? [`${method} needs \`${path}\``] : [];
  const type = OPTION_TYPES[(isRequired ? rule.slice(0, -1) : rule) as OptionType];
  return type.has(value)
    ? []
    : [`\`${path}\` of ${method} is ${type.description}, not ${typeNameOf(value)}`];
}

function unknownOption(method: string, name: string, names: Names, path: string): string {
  const near = nearestName(name, Object.keys(names));
  const question = near === null ? "" : `; did you mean \`${path}${near}\`?`;
  return `${method} has no option \`${path}${name.slice(0, 80)}\`${question}`;
}
