import { err, ok, type Result } from "../result.ts";
import { jsonFlaw, type JsonFlaw } from "./flaw.ts";
import { JsonText } from "./json-text.ts";
import { showPath } from "./path.ts";
import { writeJson } from "./write-json.ts";

/**
 * The JSON text of a value, which reads back equal to the value, or what of it JSON would change in silence: NaN and the infinities
 * (null), what has no JSON (functions, symbols, BigInt, undefined in an array), collections, binary data and instances of classes
 * (objects without what makes them up), members whose key is a symbol or that belong to an array, cycles, half surrogate pairs, and what
 * throws when it is read. Members that are undefined are left out: who reads them gets undefined. `toJSON` decides for its object.
 * Undefined as a whole, a value that was not given, is null. A `JsonText` stands for exactly its text. `root` names the value in paths.
 * Each member is read once: what was checked is what is written (decision 110).
 */
export function jsonOfValue(
  value: unknown,
  root: string,
  maxDepth: number,
): Result<string, JsonFlaw> {
  if (value === undefined) return ok("null");
  const check = new ValueCheck(root, maxDepth);
  try {
    const checked = check.visit(value, "");
    if (!check.isSpecial) return ok(JSON.stringify(checked));
    const text = writeJson(checked);
    const flaw = jsonFlaw(text, root, maxDepth);
    return flaw === null ? ok(text) : err(flaw);
  } catch (error) {
    if (error instanceof Refusal) return err(error.flaw);
    return err({ path: check.path, message: `it can't be read: ${String(error).slice(0, 200)}` });
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
  /** How many arrays and objects are open, without those whose `toJSON` is being written. */
  #depth = 0;

  constructor(root: string, maxDepth: number) {
    this.#root = root;
    this.#maxDepth = maxDepth;
  }

  /** Where the check is, or where it ended. */
  get path(): string {
    return showPath(this.#root, this.#path);
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
    if (BOXED.has(tagOf(value))) {
      const primitive: unknown = value.valueOf();
      if (typeof primitive !== "object") return this.visit(primitive, name);
    }
    if (this.#open.has(value)) return this.#refuse("the object contains itself");
    const binary = binaryKind(value);
    if (binary !== null)
      return this.#refuse(`JSON has no binary data (${binary}); send base64, as by bytes.encode`);
    const { toJSON } = value as { readonly toJSON?: unknown };
    if (typeof toJSON === "function" && !COLLECTIONS.has(tagOf(value)))
      return this.#visitOwnJson(value, toJSON, name);
    const kind = withoutJson(value);
    if (kind !== null) return this.#refuse(`JSON has no ${kind.name}; ${kind.instead}`);
    if (this.#depth >= this.#maxDepth)
      return this.#refuse(`the value is nested deeper than ${this.#maxDepth} levels`);
    if (
      Object.getOwnPropertySymbols(value).some((key) =>
        Object.prototype.propertyIsEnumerable.call(value, key),
      )
    )
      return this.#refuse("JSON has no member whose key is a symbol; use a string");
    this.#open.add(value);
    this.#depth++;
    const written = Array.isArray(value) ? this.#visitItems(value) : this.#visitMembers(value);
    this.#depth--;
    this.#open.delete(value);
    return written;
  }

  #visitOwnJson(value: object, toJSON: Function, name: string): unknown {
    if (value instanceof Date && Number.isNaN(value.getTime()))
      return this.#refuse("the date is invalid: JSON would write null");
    const json: unknown = toJSON.call(value, name);
    if (json === value) return this.#refuse("its toJSON returns the object itself");
    if (this.#open.size - this.#depth > this.#maxDepth)
      return this.#refuse("its toJSON returns objects with a toJSON again and again");
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
    // The indexes come first, in their order.
    const further = Object.keys(items)[items.length];
    if (further !== undefined)
      this.#refuse(
        `the array has the member ${JSON.stringify(further.slice(0, 80))}, which JSON leaves out; send [...array] or an object`,
      );
    return written;
  }

  #visitMembers(value: object): object {
    const written: [string, unknown][] = [];
    for (const name of Object.keys(value)) {
      this.#path.push(name);
      const member: unknown = (value as Readonly<Record<string, unknown>>)[name];
      if (!name.isWellFormed()) this.#refuse("the key has half of a surrogate pair");
      if (member !== undefined) written.push([name, this.visit(member, name)]);
      this.#path.pop();
    }
    return Object.fromEntries(written); // defines own members, so that one named __proto__ stays a member
  }

  #refuse(message: string): never {
    throw new Refusal({ path: this.path, message });
  }
}

/** Collections of the platform that have no JSON, to which Bun adds a `toJSON` that leaves out files and what is there twice. */
const COLLECTIONS: ReadonlySet<string> = new Set(["FormData", "Headers", "URLSearchParams"]);

const BOXED: ReadonlySet<string> = new Set(["Number", "String", "Boolean"]);

/** What `JSON.stringify` would write as another object: collections and errors as empty ones, bytes as numbers, instances as plain ones. */
function withoutJson(value: object): { readonly name: string; readonly instead: string } | null {
  if (Array.isArray(value) ? isPlainArray(value) : isPlain(value)) return null;
  const name = tagOf(value);
  if (name === "Promise") return { name: "Promise", instead: "is an await missing?" };
  if (name !== "Object" && name !== "Array")
    return { name, instead: "send an array, an object or a string" };
  const { constructor } = value as { readonly constructor?: { readonly name?: unknown } };
  const className = typeof constructor?.name === "string" ? constructor.name : "a class";
  return {
    name: `instance of ${className.slice(0, 80)}`,
    instead: `send a plain ${name === "Array" ? "array" : "object"}, or give the class a toJSON`,
  };
}

/** The name of binary data; null for another object. Node's Buffer has a toJSON, which makes an object of numbers. */
function binaryKind(value: object): string | null {
  const tag = tagOf(value);
  return ArrayBuffer.isView(value) || BUFFERS.has(tag) ? tag : null;
}

const BUFFERS: ReadonlySet<string> = new Set(["ArrayBuffer", "SharedArrayBuffer"]);

/** Whether an object is made of members only. Each realm has an `Object.prototype` of its own; no object inherits from it. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null) return true;
  if (Object.getPrototypeOf(prototype) !== null) return false;
  // An iterator, `Math`, `JSON` and `arguments` have the prototype of a plain object, too.
  return Object.hasOwn(prototype as object, "isPrototypeOf") && tagOf(value) === "Object";
}

/** Whether an array is of no class that extends Array. In each realm `Array.prototype` is an array itself. */
function isPlainArray(value: readonly unknown[]): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Array.isArray(prototype);
}

/** `Map` of a Map, and the name of the class for most others of the platform. */
const tagOf = (value: object): string =>
  Object.prototype.toString.call(value).slice("[object ".length, -1);
