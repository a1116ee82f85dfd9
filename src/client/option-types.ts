/** The types that the options of the SDK have, as a program without a compiler needs to be told. */

interface Type {
  /** With its article. */
  readonly description: string;
  readonly has: (value: unknown) => boolean;
}

const isString = (value: unknown): value is string => typeof value === "string";
const isStrings = (value: unknown): boolean => Array.isArray(value) && value.every(isString);
const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;
const isFunction = (value: unknown): boolean => typeof value === "function";
const isUrl = (value: unknown): boolean => isString(value) || value instanceof URL;

export const OPTION_TYPES = {
  string: { description: "a string", has: isString },
  strings: { description: "a list of strings", has: isStrings },
  stringOrStrings: {
    description: "a string or a list of strings",
    has: (value) => isString(value) || isStrings(value),
  },
  number: {
    description: "a number",
    has: (value) => typeof value === "number" && !Number.isNaN(value),
  },
  numberOrNull: {
    description: "a number or null",
    has: (value) => value === null || (typeof value === "number" && !Number.isNaN(value)),
  },
  boolean: { description: "true or false", has: (value) => typeof value === "boolean" },
  function: { description: "a function", has: isFunction },
  object: { description: "an object", has: isObject },
  date: {
    description: "a valid Date",
    has: (value) => value instanceof Date && !Number.isNaN(value.getTime()),
  },
  signal: {
    description: "an AbortSignal",
    has: (value) => isObject(value) && "aborted" in (value as object),
  },
  url: { description: "a string or a URL", has: isUrl },
  urls: {
    description: "a string or a URL, or a list of them",
    has: (value) => isUrl(value) || (Array.isArray(value) && value.every(isUrl)),
  },
  bytes: {
    description: "a string or a Uint8Array",
    has: (value) => isString(value) || value instanceof Uint8Array,
  },
  key: {
    description: "a string, a Uint8Array or a key pair",
    has: (value) => isString(value) || (isObject(value) && !Array.isArray(value)),
  },
  objectOrFunction: {
    description: "an object or a function",
    has: (value) => isObject(value) || isFunction(value),
  },
} as const satisfies Readonly<Record<string, Type>>;

export type OptionType = keyof typeof OPTION_TYPES;

/** What a value is, without the value. */
export function typeNameOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (Number.isNaN(value)) return "NaN";
  if (value instanceof Date) return "an invalid Date";
  if (typeof value === "undefined") return "undefined";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
