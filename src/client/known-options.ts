import { nearestName } from "../base/near-name.ts";
import { OptionsError } from "./errors.ts";

/** The names of all options of a method, and below an option those of its object. The compiler says which are missing. */
export type OptionNames<T> = {
  readonly [Name in keyof T]-?: true | Readonly<Record<string, true>>;
};

/**
 * Throws an `OptionsError` if an option does not exist: a program in JavaScript has no compiler that says so, and a misspelled option
 * would have no effect. `method` is named in the error.
 */
export function refuseUnknownOptions<T extends object>(
  method: string,
  given: T,
  names: OptionNames<T>,
): void {
  refuseUnknown(method, given, names, "");
}

type Names = Readonly<Record<string, true | Readonly<Record<string, true>>>>;

function refuseUnknown(method: string, given: object, names: Names, path: string): void {
  if (typeof given !== "object" || given === null)
    throw new OptionsError(`the options of ${method} are an object`);
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    const known = Object.hasOwn(names, name) ? names[name] : undefined;
    if (known === undefined) throw unknownOption(method, name, names, path);
    if (known !== true && typeof value === "object" && value !== null)
      refuseUnknown(method, value, known, `${path}${name}.`);
  }
}

function unknownOption(method: string, name: string, names: Names, path: string): OptionsError {
  const near = nearestName(name, Object.keys(names));
  const question = near === null ? "" : `; did you mean \`${path}${near}\`?`;
  return new OptionsError(`${method} has no option \`${path}${name.slice(0, 80)}\`${question}`);
}
