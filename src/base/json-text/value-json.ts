import { err, ok, type Result } from "../result.ts";
import { jsonFlaw, type JsonFlaw } from "./flaw.ts";
import { JsonText } from "./json-text.ts";
import { showPath } from "./path.ts";
import { writeJson } from "./write-json.ts";

/**
 * The JSON text of a value, or what of it JSON would change in silence: NaN and the infinities (null), what has no JSON (functions,
 * symbols, BigInt, undefined in an array), collections and binary data (empty objects), cycles, half surrogate pairs. As usual in
 * JavaScript, members that are undefined are left out, `toJSON` decides for its object, and undefined as a whole is null. A `JsonText`
 * stands for exactly its text. `root` names the value in paths.
 */
export function jsonOfValue(
  value: unknown,
  root: string,
  maxDepth: number,
): Result<string, JsonFlaw> {
  if (value === undefined) return ok("null");
  try {
    const check = new ValueCheck(root, maxDepth);
    const checked = check.visit(value, "");
    if (!check.isSpecial) return ok(JSON.stringify(value));
    const text = writeJson(checked);
    const flaw = jsonFlaw(text, root, maxDepth);
    return flaw === null ? ok(text) : err(flaw);
  } catch (error) {
    if (error instanceof Refusal) return err(error.flaw);
    throw error;
  }
}

class Refusal extends Error {
  readonly flaw: JsonFlaw;

  constructor(flaw: JsonFlaw) {
    super(flaw.message);
    this.flaw = flaw;
  }
}

class ValueCheck {
  /** Whether `JSON.stringify` would not write the value as it is: it holds a `JsonText`, or -0. */
  isSpecial = false;
  readonly #root: string;
  readonly #maxDepth: number;
  readonly #path: (string | number)[] = [];
  readonly #open = new Set<object>();

  constructor(root: string, maxDepth: number) {
    this.#root = root;
    this.#maxDepth = maxDepth;
  }

  /** The value as it is written; throws a `Refusal`. */
  visit(value: unknown, name: string): unknown {
    switch (typeof value) {
      case "boolean":
        return value;
      case "string":
        if (value.isWellFormed()) return value;
        return this.#refuse("the string has half of a surrogate pair, which some readers replace");
      case "number":
        if (!Number.isFinite(value))
          return this.#refuse(`JSON has no ${value}; use null or a string`);
        if (!Object.is(value, -0)) return value;
        this.isSpecial = true;
        return new JsonText("-0");
      case "bigint":
        return this.#refuse(
          `JSON.stringify can't write a BigInt; use a string, or new JsonText(${`"${value}"`.slice(0, 40)}) for exactly these digits`,
        );
      case "function":
      case "symbol":
      case "undefined":
        return this.#refuse(`JSON has no ${typeof value}`);
      case "object":
        break;
    }
    return value === null ? null : this.#visitObject(value, name);
  }

  #visitObject(value: object, name: string): unknown {
    if (value instanceof JsonText) {
      this.isSpecial = true;
      return value;
    }
    if (BOXED.has(Object.prototype.toString.call(value))) return this.visit(value.valueOf(), name);
    if (this.#open.has(value)) return this.#refuse("the object contains itself");
    const { toJSON } = value as { readonly toJSON?: unknown };
    if (typeof toJSON === "function") return this.#visitOwnJson(value, toJSON, name);
    const kind = withoutJson(value);
    if (kind !== null)
      return this.#refuse(`JSON has no ${kind}; send an array, an object or a string`);
    if (this.#open.size >= this.#maxDepth)
      return this.#refuse(`the value is nested deeper than ${this.#maxDepth} levels`);
    this.#open.add(value);
    const written = Array.isArray(value) ? this.#visitItems(value) : this.#visitMembers(value);
    this.#open.delete(value);
    return written;
  }

  #visitOwnJson(value: object, toJSON: Function, name: string): unknown {
    if (value instanceof Date && Number.isNaN(value.getTime()))
      return this.#refuse("the date is invalid: JSON would write null");
    const json: unknown = toJSON.call(value, name);
    if (json === value) return this.#refuse("its toJSON returns the object itself");
    this.#open.add(value);
    const written = this.visit(json, name);
    this.#open.delete(value);
    return written;
  }

  #visitItems(items: readonly unknown[]): unknown[] {
    const written: unknown[] = [];
    // By index: a hole is read as undefined, which is refused.
    for (let i = 0; i < items.length; i++) {
      this.#path.push(i);
      written.push(this.visit(items[i], String(i)));
      this.#path.pop();
    }
    return written;
  }

  #visitMembers(value: object): object {
    const written: [string, unknown][] = [];
    for (const [name, member] of Object.entries(value)) {
      this.#path.push(name);
      if (!name.isWellFormed()) this.#refuse("the key has half of a surrogate pair");
      if (member !== undefined) written.push([name, this.visit(member, name)]);
      this.#path.pop();
    }
    return Object.fromEntries(written); // defines own members, so that one named __proto__ stays a member
  }

  #refuse(message: string): never {
    throw new Refusal({ path: showPath(this.#root, this.#path), message });
  }
}

const BOXED: ReadonlySet<string> = new Set([
  "[object Number]",
  "[object String]",
  "[object Boolean]",
]);

/** What `JSON.stringify` would write as an empty object, or bytes as an object of numbers. */
function withoutJson(value: object): string | null {
  if (value instanceof Map) return "Map";
  if (value instanceof Set) return "Set";
  if (value instanceof WeakMap) return "WeakMap";
  if (value instanceof WeakSet) return "WeakSet";
  if (value instanceof Promise) return "Promise (is an await missing?)";
  if (value instanceof RegExp) return "RegExp";
  if (value instanceof Error) return "Error";
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return "binary data";
  return null;
}
