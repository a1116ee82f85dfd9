import { fromBase64 } from "../bytes.ts";
import { exactJson, exactJsonOf, JsonText } from "../json-text/json-text.ts";
import { isJsonObject } from "../json.ts";
import { err, ok, type Result } from "../result.ts";
import type { Change, Fields, ListShape, NumberShape, Shape, StringShape, Typed } from "./shape.ts";

/** Reads a value that another program wrote. The error is the first mismatch with its path, as one line. */
export function readShape<T>(shape: Typed<T>, value: unknown): Result<T, string> {
  try {
    return ok(read(shape, value) as T);
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    const place = error.path.join(".");
    return err(place === "" ? error.message : `${place}: ${error.message}`);
  }
}

class Mismatch extends Error {
  readonly path: string[] = [];
  /** Whether the value has the type, and is too large, too long, or in another form. */
  readonly isOfType: boolean;

  constructor(message: string, isOfType: boolean) {
    super(message);
    this.isOfType = isOfType;
  }
}

const refuse = (message: string, isOfType = true): never => {
  throw new Mismatch(message, isOfType);
};

/** The value inside another: what is wrong with it is wrong there. */
function readAt(shape: Shape, value: unknown, step: string | number): unknown {
  try {
    return read(shape, value);
  } catch (error) {
    if (error instanceof Mismatch) error.path.unshift(String(step));
    throw error;
  }
}

function read(shape: Shape, value: unknown): unknown {
  switch (shape.is) {
    case "unknown":
      return value;
    case "null":
      return value === null ? value : expected("null", value);
    case "boolean":
      return typeof value === "boolean" ? value : expected("boolean", value);
    case "string":
      return readString(shape, value);
    case "number":
      return readNumber(shape, value);
    case "one":
      return shape.of.includes(value as string) ? value : refuse(optionsText(shape.of), false);
    case "list":
      return readList(shape, value);
    case "record":
      if (value instanceof JsonText) return expected("record", value);
      return Object.fromEntries(
        Object.entries(objectOf(value, "record")).map(([name, each]) => [
          name,
          readAt(shape.of, each, name),
        ]),
      );
    case "object":
      return readObject(shape.of, value);
    case "any":
      return readAny(shape.of, value);
    case "or null":
      return value === null ? null : read(shape.of, value);
    case "optional":
      if (value !== undefined) return read(shape.of, value);
      return "by" in shape ? shape.by : undefined;
    case "required": {
      const result = read(shape.of, value);
      return result === undefined ? expected("nonoptional", result) : result;
    }
    case "lenient":
      try {
        return read(shape.of, value);
      } catch {
        return shape.by;
      }
    case "changed":
      break;
  }
  return changed(read(shape.of, value), shape.to);
}

/** How many characters (Unicode code points) a text has. `text.length` counts UTF-16 units, of which an emoji has two. */
function codePointCount(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function readString(shape: StringShape, value: unknown): string {
  if (typeof value !== "string")
    return shape.says === undefined ? expected("string", value) : refuse(shape.says, false);
  const text = shape.trim === true ? value.trim() : value;
  const { min = 0, max = Number.POSITIVE_INFINITY, patterns = [], bytes } = shape;
  // A text that has no more units than it may have characters is short enough.
  const chars = text.length > max || min > 1 ? codePointCount(text) : text.length;
  if (chars < min) refuse(`Too small: expected string to have >=${min} characters`);
  if (chars > max) refuse(`Too big: expected string to have <=${max} characters`);
  for (const [pattern, message] of patterns) if (!pattern.test(text)) refuse(message);
  if (bytes !== undefined && fromBase64(text)?.length !== bytes[0]) refuse(bytes[1]);
  return text;
}

const SAFE = [
  ["<=", Number.MAX_SAFE_INTEGER],
  [">=", Number.MIN_SAFE_INTEGER],
] as const;

function readNumber({ int, limits = [] }: NumberShape, value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) return expected("number", value);
  if (int === true && !Number.isInteger(value)) expected("int", value);
  for (const [sign, limit] of int === true ? [...SAFE, ...limits] : limits) {
    const isBelow = sign.startsWith("<");
    const isEqual = sign.length > 1 && value === limit;
    if (isEqual || (isBelow ? value < limit : value > limit)) continue;
    const what = Math.abs(limit) === Number.MAX_SAFE_INTEGER ? "int" : "number";
    refuse(`Too ${isBelow ? "big" : "small"}: expected ${what} to be ${sign}${limit}`);
  }
  return value;
}

function readList(shape: ListShape, value: unknown): unknown[] {
  if (!Array.isArray(value)) return expected("array", value);
  const { of, min = 0, max = Number.POSITIVE_INFINITY } = shape;
  const items = value.map((item, index) => readAt(of, item, index));
  if (items.length < min) refuse(`Too small: expected array to have >=${min} items`);
  if (items.length > max) refuse(`Too big: expected array to have <=${max} items`);
  return items;
}

function readObject(fields: Fields, value: unknown): object {
  const given = objectOf(value, "object");
  const result: [string, unknown][] = [];
  for (const name of Object.keys(fields)) {
    const field = readAt(fields[name] as Shape, given[name], name);
    if (field !== undefined || name in given) result.push([name, field]);
  }
  return Object.fromEntries(result);
}

/** The first that matches. If only one has the type, it was meant, and its mismatch is the error. */
function readAny(shapes: readonly Shape[], value: unknown): unknown {
  const mismatches: Mismatch[] = [];
  for (const shape of shapes) {
    try {
      return read(shape, value);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      mismatches.push(error);
    }
  }
  const [meant, ...others] = mismatches.filter(({ isOfType }) => isOfType);
  if (meant !== undefined && others.length === 0) throw meant;
  return refuse("Invalid input", false);
}

function changed(value: unknown, to: Change): unknown {
  if (to === "json") return value ?? null;
  if (to === "exact")
    return value instanceof JsonText ? exactJson(value.text) : exactJsonOf(value ?? null);
  if (to === "lower case") return (value as string).toLowerCase();
  return to[0] === "cut" ? (value as string).slice(0, to[1]).toWellFormed() : to[1];
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  return isJsonObject(value) ? value : expected(what, value);
}

const expected = (what: string, value: unknown): never =>
  refuse(`Invalid input: expected ${what}, received ${typeOf(value)}`, false);

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value instanceof JsonText ? "JsonText" : typeof value;
}

function optionsText(options: readonly unknown[]): string {
  const texts = options.map((option) =>
    typeof option === "string" ? `"${option}"` : String(option),
  );
  return texts.length === 1
    ? `Invalid input: expected ${texts.join("")}`
    : `Invalid option: expected one of ${texts.join("|")}`;
}
